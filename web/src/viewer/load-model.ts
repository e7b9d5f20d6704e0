import { type BufferGeometry, Group, Mesh, MeshStandardMaterial, Points, PointsMaterial } from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';

/** Reads a model in one of the formats that a browser can show. The rarer ones are loaded when one comes. */
export async function loadModel(content: ArrayBuffer, path: string): Promise<Group> {
  switch (path.split('.').at(-1)?.toLowerCase()) {
    case 'stl': {
      const { STLLoader } = await import('three/addons/loaders/STLLoader.js');
      return grouped(new STLLoader().parse(content));
    }
    case 'ply': {
      const { PLYLoader } = await import('three/addons/loaders/PLYLoader.js');
      return grouped(new PLYLoader().parse(content));
    }
    case 'obj': {
      const { OBJLoader } = await import('three/addons/loaders/OBJLoader.js');
      return new OBJLoader().parse(new TextDecoder().decode(content));
    }
    default:
      return loadGltf(content);
  }
}

async function loadGltf(content: ArrayBuffer): Promise<Group> {
  const loader = new GLTFLoader();
  const { MeshoptDecoder } = await import('three/addons/libs/meshopt_decoder.module.js');
  loader.setMeshoptDecoder(MeshoptDecoder);
  return (await loader.parseAsync(content, '')).scene;
}

/** Geometry without a material: triangles, or points where there are no triangles. */
function grouped(geometry: BufferGeometry): Group {
  const vertexColors = geometry.hasAttribute('color');
  const isCloud = geometry.index === null && !geometry.hasAttribute('normal');
  if (!isCloud && !geometry.hasAttribute('normal')) geometry.computeVertexNormals();
  const colour = vertexColors ? 0xffffff : 0x9aa7bd;
  return new Group().add(
    isCloud
      ? new Points(geometry, new PointsMaterial({ color: colour, vertexColors, size: 2, sizeAttenuation: false }))
      : new Mesh(geometry, new MeshStandardMaterial({ color: colour, vertexColors, metalness: 0.1, roughness: 0.7 })),
  );
}
