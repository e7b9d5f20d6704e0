import {
  Box3,
  type Group,
  type Material,
  type Mesh,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  Sphere,
  type Texture,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import { RoomEnvironment } from 'three/addons/environments/RoomEnvironment.js';

export interface ModelFacts {
  readonly triangles: number;
  readonly vertices: number;
  readonly meshes: number;
  readonly materials: number;
  /** Of the box around it, in the unit of the file. */
  readonly size: readonly [number, number, number];
}

/** Draws one model in a canvas, only when something has changed: a model that nobody turns costs nothing. */
export class Stage {
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera(40, 1, 0.01, 1000);
  readonly #controls: OrbitControls;
  readonly #watch: ResizeObserver;
  readonly #model: Group;
  readonly facts: ModelFacts;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement, model: Group) {
    this.#model = model;
    this.#renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.#renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    const light = new PMREMGenerator(this.#renderer);
    // Small: it is only seen in what is shiny, and a machine without a graphics card draws it, too.
    this.#scene.environment = light.fromScene(new RoomEnvironment(), 0, 0.1, 100, { size: 32 }).texture;
    light.dispose();
    this.#scene.add(model);
    this.facts = factsOf(model);
    this.#controls = new OrbitControls(this.#camera, canvas);
    this.#controls.addEventListener('change', () => this.#draw());
    this.#watch = new ResizeObserver(() => this.#resize());
    this.#watch.observe(canvas);
    this.fit();
    this.#resize();
  }

  /** The whole model in view, from above and aside. */
  fit(): void {
    const { center, radius } = new Box3().setFromObject(this.#model).getBoundingSphere(new Sphere());
    const reach = Math.max(radius, 1e-6);
    const distance = reach / Math.sin((this.#camera.fov * Math.PI) / 360);
    this.#camera.near = distance / 500;
    this.#camera.far = distance * 20;
    this.#camera.position.copy(center).addScaledVector(new Vector3(0.72, 0.5, 0.9).normalize(), distance * 1.05);
    this.#camera.updateProjectionMatrix();
    this.#controls.target.copy(center);
    this.#controls.update();
    this.#draw();
  }

  /** Angles in radians. */
  turn(left: number, up: number): void {
    const { target } = this.#controls;
    const arm = this.#camera.position.clone().sub(target);
    const axis = new Vector3().crossVectors(arm, this.#camera.up).normalize();
    const tilted = arm.clone().applyAxisAngle(axis, up);
    // Not over the pole, where left and right would change places.
    if (Math.abs(tilted.angleTo(this.#camera.up) - Math.PI / 2) < 1.5) arm.copy(tilted);
    arm.applyAxisAngle(this.#camera.up, left);
    this.#camera.position.copy(target).add(arm);
    this.#controls.update();
    this.#draw();
  }

  /** @param factor below 1: nearer */
  zoom(factor: number): void {
    const { target } = this.#controls;
    this.#camera.position.sub(target).multiplyScalar(factor).add(target);
    this.#controls.update();
    this.#draw();
  }

  showEdges(on: boolean): void {
    this.#model.traverse((part) => {
      for (const material of materialsOf(part as Mesh)) if ('wireframe' in material) material.wireframe = on;
    });
    this.#draw();
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#watch.disconnect();
    this.#controls.dispose();
    this.#model.traverse((part) => {
      const mesh = part as Mesh;
      mesh.geometry?.dispose();
      for (const material of materialsOf(mesh)) {
        for (const value of Object.values(material))
          if ((value as Texture | null)?.isTexture) (value as Texture).dispose();
        material.dispose();
      }
    });
    this.#scene.environment?.dispose();
    this.#renderer.dispose();
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#renderer.domElement;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#renderer.setSize(clientWidth, clientHeight, false);
    this.#camera.aspect = clientWidth / clientHeight;
    this.#camera.updateProjectionMatrix();
    this.#draw();
  }

  #draw(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#renderer.render(this.#scene, this.#camera);
    });
  }
}

function materialsOf(mesh: Mesh): Material[] {
  return mesh.material === undefined ? [] : [mesh.material].flat();
}

function factsOf(model: Group): ModelFacts {
  let triangles = 0;
  let vertices = 0;
  let meshes = 0;
  const materials = new Set<Material>();
  model.traverse((part) => {
    const mesh = part as Mesh;
    const positions = mesh.geometry?.getAttribute('position');
    if (positions === undefined) return;
    meshes += 1;
    vertices += positions.count;
    if (mesh.isMesh) triangles += (mesh.geometry.index?.count ?? positions.count) / 3;
    for (const material of materialsOf(mesh)) materials.add(material);
  });
  const { x, y, z } = new Box3().setFromObject(model).getSize(new Vector3());
  return { triangles: Math.round(triangles), vertices, meshes, materials: materials.size, size: [x, y, z] };
}
