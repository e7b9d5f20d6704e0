import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { framesInside } from '../layout/frames-inside.js';
import { Layouts } from '../layout/layouts.js';
import type { GraphModel } from '../model/graph-model.js';
import { type BoxTree, boxTreeOf, visibleOf } from '../shape/boxes.js';
import { boxHeight, boxWidth, type Scene } from './scene.js';

export interface SceneState {
  readonly tree: BoxTree;
  /** null until the first layout is there; then the last one, while a new one is made. */
  readonly scene: Scene | null;
}

/** The scene of a graph with some boxes open: laid out anew when there are other nodes, or other boxes are open. */
export function useScene(model: GraphModel, shape: number, open: ReadonlySet<string>): SceneState {
  const [scene, setScene] = useState<Scene | null>(null);
  const layouts = useRef<Layouts | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the model is the same object whatever its shape
  const tree = useMemo(() => boxTreeOf(model.all()), [model, shape]);
  const visible = useMemo(() => visibleOf(tree, open, model), [tree, open, model]);

  useEffect(
    () => () => {
      layouts.current?.end();
      layouts.current = null;
    },
    [],
  );
  useEffect(() => {
    let isWanted = true;
    layouts.current ??= new Layouts();
    const input = { width: boxWidth, height: boxHeight, deps: visible.deps, frames: framesInside(visible) };
    void layouts.current.make(input).then((layout) => {
      if (isWanted && layout !== null) setScene({ ...visible, layout });
    });
    return () => {
      isWanted = false;
    };
  }, [visible]);
  return { tree, scene };
}
