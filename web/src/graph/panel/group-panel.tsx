import { plural } from '../../ui/format.js';
import type { LiveGraph } from '../model/live-graph.js';
import { bySeverity } from '../model/states.js';
import { NodesTable } from '../nodes-table.js';
import type { Box } from '../shape/boxes.js';
import { summaryOf } from '../shape/summary.js';
import { Panel } from './panel.js';

/** The nodes of a stack, those first that somebody may have to look after. */
export function GroupPanel({
  graph,
  box,
  onSelect,
  onClose,
}: {
  graph: LiveGraph;
  box: Box;
  onSelect: (id: string) => void;
  onClose: () => void;
}) {
  const { text, total } = summaryOf(box, graph.model);
  const nodes = box.members
    .flatMap((number) => graph.model.node(number) ?? [])
    .sort((a, b) => bySeverity.indexOf(a.state) - bySeverity.indexOf(b.state));
  return (
    <Panel
      title={box.title}
      subject={box.key}
      onClose={onClose}
      head={
        <p class="soft">
          {plural(total, 'node')} in the same place of the graph: {text}
        </p>
      }
    >
      <NodesTable nodes={nodes} isNarrow onSelect={onSelect} selected={null} />
    </Panel>
  );
}
