import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf, boxAt, boxHeight, boxWidth, neighbour, type Scene } from '../../../web/src/graph/drawing/scene.js';
import { fitted, panned, revealing, zoomed } from '../../../web/src/graph/drawing/view.js';
import { framesInside } from '../../../web/src/graph/layout/frames-inside.js';
import { layered } from '../../../web/src/graph/layout/layered.js';
import { boxTreeOf, visibleOf } from '../../../web/src/graph/shape/boxes.js';
import { modelOf } from '../../support/web-graphs.js';

const window = { width: 800, height: 600 };
const view = fc.record({
  x: fc.double({ min: -5000, max: 5000, noNaN: true }),
  y: fc.double({ min: -5000, max: 5000, noNaN: true }),
  scale: fc.double({ min: 0.1, max: 2, noNaN: true }),
});

describe('the view of a drawing', () => {
  it('leaves what is below the pointer where it is when it zooms', () => {
    const place = fc.record({ x: fc.integer({ min: 0, max: 800 }), y: fc.integer({ min: 0, max: 600 }) });
    fc.assert(
      fc.property(view, place, fc.double({ min: 0.5, max: 2, noNaN: true }), (before, pointer, factor) => {
        const after = zoomed(before, factor, pointer);
        expect(after.x + pointer.x / after.scale).toBeCloseTo(before.x + pointer.x / before.scale, 6);
        expect(after.y + pointer.y / after.scale).toBeCloseTo(before.y + pointer.y / before.scale, 6);
      }),
    );
  });

  it('shows all of it, not larger than life', () => {
    expect(fitted({ x: 0, y: 0, width: 100, height: 50 }, window)).toEqual({ scale: 1, x: -350, y: -275 });
    const { scale, x, y } = fitted({ x: -10, y: 5, width: 8000, height: 100 }, window);
    expect(scale).toBeLessThan(0.1);
    expect(x).toBeLessThanOrEqual(-10);
    expect(x + window.width / scale).toBeGreaterThanOrEqual(7990);
    expect(y).toBeLessThan(5);
  });

  it('moves by pixels, and to what is out of sight no further than it must', () => {
    const at = { x: 0, y: 0, scale: 2 };
    expect(panned(at, 20, -10)).toEqual({ x: -10, y: 5, scale: 2 });
    expect(revealing(at, { x: 100, y: 100, width: 50, height: 50 }, window)).toEqual(at);
    const moved = revealing(at, { x: 1000, y: 100, width: 50, height: 50 }, window);
    expect(moved.y).toBe(0);
    expect(moved.x + window.width / 2).toBeCloseTo(1050 + 14);
  });
});

function sceneOf(deps: Readonly<Record<string, readonly string[]>>): Scene {
  const model = modelOf(deps);
  const visible = visibleOf(boxTreeOf(model.all()), new Set(), model);
  const input = { width: boxWidth, height: boxHeight, deps: visible.deps, frames: framesInside(visible) };
  return { ...visible, layout: layered(input) };
}

describe('a scene', () => {
  const scene = sceneOf({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'], alone: [] });
  const named = (title: string) => scene.boxes.findIndex((box) => box.title === title);
  const from = (title: string, direction: Parameters<typeof neighbour>[2]) =>
    scene.boxes[neighbour(scene, named(title), direction)]?.title;

  it('knows what is below a point', () => {
    for (const at of scene.boxes.keys()) {
      const [x, y] = [scene.layout.places[2 * at] as number, scene.layout.places[2 * at + 1] as number];
      expect(boxAt(scene, x + 1, y + 1)).toBe(at);
      expect(boxAt(scene, x - 1, y + 1)).not.toBe(at);
    }
    const { width, height } = boundsOf(scene);
    expect(boxAt(scene, width + 1, height + 1)).toBe(-1);
  });

  it('leads along the edges to the left and right, and to what stands beside up and down', () => {
    expect(['b', 'c']).toContain(from('a', 'right'));
    expect(from('b', 'left')).toBe('a');
    expect(from('d', 'right')).toBe('d');
    const [upper, lower] = from('b', 'down') === 'c' ? ['b', 'c'] : ['c', 'b'];
    expect(from(upper as string, 'down')).toBe(lower);
    expect(from(lower as string, 'up')).toBe(upper);
    expect(new Set([from('a', 'down'), from('a', 'up')])).toContain('alone');
  });
});
