import { numberText } from '../ui/format.js';

/** Counts that the process `generate_metadata` and its likes tell, in the order of interest. */
const names: readonly (readonly [key: string, words: string])[] = [
  ['polygon_count', 'Triangles'],
  ['mesh_vertex_count', 'Vertices'],
  ['mesh_edge_count', 'Edges'],
  ['mesh_boundary', 'Open borders'],
  ['part_count', 'Parts'],
  ['material_count', 'Materials'],
  ['aabb', 'Diagonal'],
  ['brep_body_count', 'CAD bodies'],
  ['brep_boundary', 'Open CAD borders'],
  ['animation_count', 'Animations'],
  ['variant_count', 'Variants'],
  ['pmi_component_count', 'PMI components'],
  ['annotation_count', 'Annotations'],
  ['metadata_property_count', 'Properties'],
];

type Counts = Readonly<Record<string, unknown>>;

/** The counts in a result or in a file `metadata.json`, wherever they stand; null where there are none. */
export function countsIn(value: unknown): Counts | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('polygon_count' in value) return value as Counts;
  return countsIn((value as { metadata?: unknown }).metadata);
}

export function MeshStatistics({ counts }: { counts: Counts }) {
  const shown = names.filter(([key], index) => counts[key] !== undefined && (index < 7 || Number(counts[key]) !== 0));
  return (
    <dl class="tiles">
      {shown.map(([key, words]) => (
        <div key={key}>
          <dt>{words}</dt>
          <dd>
            {key === 'aabb'
              ? `${numberText(Math.round(Number(counts[key]) * 10) / 10)} mm`
              : numberText(Number(counts[key]))}
          </dd>
        </div>
      ))}
    </dl>
  );
}
