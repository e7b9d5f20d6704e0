import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce } from '../../ui/announce.js';
import { numberText, plural } from '../../ui/format.js';
import { theme } from '../../ui/theme.js';
import type { GraphModel, GraphNode } from '../model/graph-model.js';
import { type Box, opened } from '../shape/boxes.js';
import { type Summary, summaryOf } from '../shape/summary.js';
import { Drawing, type DrawingEvents } from './drawing.js';
import { DrawingTools } from './drawing-tools.js';
import type { Marks, Scene } from './scene.js';
import { useScene } from './use-scene.js';

export interface DrawingProps {
  readonly model: GraphModel;
  /** Changes when the nodes have. */
  readonly version: number;
  /** Numbers of the nodes on the critical path; null: it is not shown. */
  readonly criticalPath: readonly number[] | null;
  readonly onCriticalPath: (isShown: boolean) => void;
  /** Number of the node whose panel is open. */
  readonly selected: number | null;
  /** What a box says below its name. Default: its state. */
  readonly textOf?: (node: GraphNode) => string;
  readonly onSelect: (box: Box) => void;
  readonly onLeave: () => void;
}

/** The graph drawn, with its tools. For those who cannot see it there is the table of nodes. */
export function DrawingView({
  model,
  version,
  criticalPath,
  onCriticalPath,
  selected,
  textOf,
  onSelect,
  onLeave,
}: DrawingProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const events = useRef<DrawingEvents>(noEvents);
  const anchor = useRef<{ readonly before: string; readonly now: string } | null>(null);
  const shown = useRef<Scene | null>(null);
  /** The node that is to be in sight once it is drawn. */
  const wanted = useRef<number | null>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(none);
  const [focused, setFocused] = useState<string | null>(null);
  const [found, setFound] = useState<ReadonlySet<number> | null>(null);
  const help = useId();
  const { tree, scene } = useScene(model, model.shape, open);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the model is the same object in all its versions
  const summaries = useMemo(
    () => scene?.boxes.map((box) => summaryOf(box, model, textOf)) ?? [],
    [scene, model, version, textOf],
  );
  const places = useMemo(() => placesOf(scene), [scene]);
  const marks = useMemo<Marks>(
    () => ({
      summaries,
      critical: pathOf(criticalPath ?? [], places.ofNumber),
      found: found === null ? null : boxesOf(found, places.ofNumber),
      focused: focused === null ? -1 : (places.ofKey.get(focused) ?? -1),
      selected: selected === null ? -1 : (places.ofNumber.get(selected) ?? -1),
    }),
    [summaries, places, criticalPath, found, focused, selected],
  );

  const setOpened = (keys: Iterable<string>) => setOpen(new Set(keys));
  const openBox = (box: Box) => {
    const [first] = box.children;
    if (first === undefined) return;
    anchor.current = { before: box.key, now: first.key };
    setOpened([...open, box.key]);
    setFocused(first.key);
    announce(`${box.title}: open, ${plural(box.children.length, 'part')}`);
  };
  const closeBox = (box: Box) => {
    const first = scene?.boxes.find(({ members }) => members.some((number) => box.members.includes(number)));
    if (first !== undefined) anchor.current = { before: first.key, now: box.key };
    setOpened([...open].filter((key) => key !== box.key));
    setFocused(box.key);
    announce(`${box.title}: closed`);
  };
  const reveal = (node: GraphNode) => {
    wanted.current = node.number;
    setFocused(tree.boxOf.get(node.number)?.key ?? null);
    const keys = opened(tree, node.number).filter((key) => !open.has(key));
    if (keys.length > 0) setOpened([...open, ...keys]);
    else goToWanted();
  };
  const goToWanted = () => {
    const place = wanted.current === null ? undefined : places.ofNumber.get(wanted.current);
    if (place === undefined) return;
    wanted.current = null;
    drawing.current?.goTo(place);
  };

  events.current = {
    onSelect: (at) => {
      const box = scene?.boxes[at];
      if (box === undefined) return;
      setFocused(box.key);
      onSelect(box);
    },
    onOpen: (at) => {
      const box = scene?.boxes[at];
      if (box !== undefined && box.children.length > 0) openBox(box);
    },
    onClose: (at) => {
      const frame = scene?.frames[at];
      if (frame !== undefined) closeBox(frame);
    },
    onFocus: (at) => {
      const box = scene?.boxes[at];
      if (box === undefined) return;
      setFocused(box.key);
      announce(spoken(box, summaries[at] as Summary, scene?.deps[at]?.length ?? 0));
    },
    onLeave: () => {
      const around = focused === null ? undefined : tree.around.get(focused);
      if (selected === null && around !== undefined) closeBox(around);
      else onLeave();
    },
  };

  useLayoutEffect(() => {
    const made = new Drawing(canvas.current as HTMLCanvasElement, through(events));
    drawing.current = made;
    return () => made.end();
  }, []);
  // Before the next key: it may come before the next frame.
  useLayoutEffect(() => {
    if (scene === null) return;
    if (scene === shown.current) return drawing.current?.mark(marks);
    const kept = anchorIn(anchor.current, shown.current, scene);
    shown.current = scene;
    anchor.current = null;
    drawing.current?.show(scene, marks, kept);
    goToWanted();
  }, [scene, marks]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the theme has changed
  useEffect(() => drawing.current?.repaint(), [theme.value]);

  const openable = tree.roots.filter(({ children }) => children.length > 0);
  return (
    <div class="drawing">
      <DrawingTools
        model={model}
        criticalPath={criticalPath}
        onCriticalPath={onCriticalPath}
        onFit={() => drawing.current?.fit()}
        onZoom={(factor) => drawing.current?.zoom(factor)}
        onSearch={setFound}
        onReveal={reveal}
        onOpenAll={openable.length === 0 ? null : () => setOpened(openable.map(({ key }) => key))}
        onCloseAll={open.size === 0 ? null : () => setOpened([])}
      />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys */}
      <div
        class="drawing-ground"
        role="application"
        aria-roledescription="graph drawing"
        aria-label={`Drawing of ${plural(model.size, 'node')} in ${plural(scene?.boxes.length ?? 0, 'box', 'boxes')}`}
        aria-describedby={help}
        tabIndex={0}
        data-drawn={scene !== null}
      >
        <canvas ref={canvas} />
        {scene === null && <p class="drawing-wait soft">Laying out …</p>}
      </div>
      <p id={help} class="drawing-help">
        <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd> from node to node · <kbd>Enter</kbd> details ·{' '}
        <kbd>Space</kbd> open a stack · <kbd>Esc</kbd> close it · <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom · drag to
        move
      </p>
    </div>
  );
}

const none: ReadonlySet<string> = new Set();
const nothing = () => {};
const noEvents: DrawingEvents = {
  onSelect: nothing,
  onOpen: nothing,
  onClose: nothing,
  onFocus: nothing,
  onLeave: nothing,
};

/** The drawing is made once; what it tells goes to the handlers of the last time that the view was rendered. */
function through(events: { readonly current: DrawingEvents }): DrawingEvents {
  return {
    onSelect: (box) => events.current.onSelect(box),
    onOpen: (box) => events.current.onOpen(box),
    onClose: (frame) => events.current.onClose(frame),
    onFocus: (box) => events.current.onFocus(box),
    onLeave: () => events.current.onLeave(),
  };
}

function placesOf(scene: Scene | null) {
  const ofKey = new Map<string, number>();
  const ofNumber = new Map<number, number>();
  for (const [place, { key, members }] of scene?.boxes.entries() ?? []) {
    ofKey.set(key, place);
    for (const number of members) ofNumber.set(number, place);
  }
  return { ofKey, ofNumber };
}

function boxesOf(numbers: Iterable<number>, places: ReadonlyMap<number, number>): Set<number> {
  const boxes = new Set<number>();
  for (const number of numbers) {
    const place = places.get(number);
    if (place !== undefined) boxes.add(place);
  }
  return boxes;
}

/** Boxes on the way, each with the one before it. */
function pathOf(numbers: readonly number[], places: ReadonlyMap<number, number>): Map<number, number> {
  const before = new Map<number, number>();
  let last = -1;
  for (const number of numbers) {
    const place = places.get(number);
    if (place === undefined || place === last) continue;
    before.set(place, last);
    last = place;
  }
  return before;
}

function anchorIn(keys: { before: string; now: string } | null, old: Scene | null, scene: Scene) {
  if (keys === null || old === null) return null;
  const before = old.boxes.findIndex(({ key }) => key === keys.before);
  const now = scene.boxes.findIndex(({ key }) => key === keys.now);
  return before < 0 || now < 0 ? null : { before, now };
}

function spoken({ title, members, children }: Box, { text, total }: Summary, deps: number): string {
  const words = [members.length > 1 ? `${title}, ${plural(total, 'node')}` : title, text];
  words.push(deps === 0 ? 'waits for nothing' : `waits for ${numberText(deps)}`);
  if (children.length > 0) words.push('Space opens it');
  return words.join(', ');
}
