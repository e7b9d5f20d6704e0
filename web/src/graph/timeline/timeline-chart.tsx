import { useEffect, useRef, useState } from 'preact/hooks';
import { durationText } from '../../ui/format.js';
import { outcomes } from '../../ui/states.js';
import { theme } from '../../ui/theme.js';
import { type Palette, paletteOf } from '../drawing/palette.js';
import {
  axisHeight,
  barAt,
  laneHeight,
  namesWidth,
  paintTimeline,
  type TimelinePicture,
  type TimeView,
} from './paint-timeline.js';
import type { Bar, Lane } from './rows.js';

const mostHeight = 560;

/** Bars on a time axis: wheel and keys zoom and move, a click opens the node. */
export function TimelineChart({
  lanes,
  now,
  selected,
  onSelect,
}: {
  lanes: readonly Lane[];
  /** null: everything has ended. */
  now: number | null;
  selected: number | null;
  onSelect: (node: number) => void;
}) {
  const ground = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  /** null: everything is in sight. */
  const [chosen, setChosen] = useState<TimeView | null>(null);
  const [top, setTop] = useState(0);
  const [hovered, setHovered] = useState<{ bar: Bar; x: number; y: number } | null>(null);
  const drag = useRef<{ x: number; moved: number } | null>(null);
  const palette = useRef<Palette | null>(null);

  const [first, last] = extentOf(lanes, now);
  const room = Math.max(1, size.width - namesWidth - 16);
  const whole: TimeView = { from: first, scale: room / Math.max(1, last - first) };
  const view = chosen ?? whole;
  const height = Math.min(mostHeight, axisHeight + lanes.length * laneHeight + 8);
  const mostTop = Math.max(0, axisHeight + lanes.length * laneHeight + 8 - height);
  const picture: TimelinePicture = {
    lanes,
    origin: first,
    now: now ?? last,
    view,
    top: Math.min(top, mostTop),
    selected,
    toneOf: ({ outcome }) => outcomes[outcome ?? '']?.tone ?? 'run',
    tickText: (ms) => (ms === 0 ? '0' : durationText(ms)),
  };

  useEffect(() => {
    const observer = new ResizeObserver(() => {
      // It may tell once more when the chart is gone already.
      if (ground.current !== null) setSize({ width: ground.current.clientWidth, height: ground.current.clientHeight });
    });
    observer.observe(ground.current as HTMLDivElement);
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the theme has changed
  useEffect(() => {
    palette.current = null;
  }, [theme.value]);
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const element = canvas.current;
      const context = element?.getContext('2d');
      if (element == null || context == null || size.width === 0) return;
      const density = window.devicePixelRatio || 1;
      const [wide, high] = [Math.round(size.width * density), Math.round(size.height * density)];
      if (element.width !== wide) element.width = wide;
      if (element.height !== high) element.height = high;
      palette.current ??= paletteOf(ground.current as HTMLDivElement);
      paintTimeline(context, picture, palette.current, { ...size, density });
    });
    return () => cancelAnimationFrame(frame);
  });

  const zoom = (factor: number, x: number) => {
    const scale = Math.min(50, Math.max(whole.scale, view.scale * factor));
    const time = view.from + (x - namesWidth) / view.scale;
    setChosen(scale <= whole.scale ? null : { scale, from: time - (x - namesWidth) / scale });
  };
  const pan = (dx: number) => {
    if (chosen !== null) setChosen({ ...chosen, from: chosen.from - dx / chosen.scale });
  };
  // Listened to by hand: the wheel must not scroll the page, and Preact listens passively.
  useEffect(() => {
    const element = canvas.current as HTMLCanvasElement;
    const wheel = (event: WheelEvent) => {
      if (event.ctrlKey || event.metaKey || mostTop === 0) {
        event.preventDefault();
        zoom(Math.exp(-event.deltaY * 0.0025), event.offsetX);
      } else {
        event.preventDefault();
        setTop(Math.min(mostTop, Math.max(0, picture.top + event.deltaY)));
      }
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  });
  const middle = namesWidth + room / 2;
  const keys: Readonly<Record<string, () => void>> = {
    '+': () => zoom(1.4, middle),
    '=': () => zoom(1.4, middle),
    '-': () => zoom(1 / 1.4, middle),
    '0': () => setChosen(null),
    ArrowLeft: () => pan(80),
    ArrowRight: () => pan(-80),
    ArrowUp: () => setTop(Math.max(0, picture.top - laneHeight)),
    ArrowDown: () => setTop(Math.min(mostTop, picture.top + laneHeight)),
  };
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys */}
      <div
        ref={ground}
        class="card timeline-ground"
        role="application"
        aria-roledescription="timeline"
        aria-label="Timeline by worker. The same is to be had as a table."
        tabIndex={0}
        style={{ height: `${height}px` }}
        onKeyDown={(event) => {
          const act = keys[event.key];
          if (act === undefined || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          act();
        }}
      >
        <canvas
          ref={canvas}
          onPointerDown={(event) => {
            drag.current = { x: event.clientX, moved: 0 };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            if (drag.current === null) {
              const bar = barAt(picture, event.offsetX, event.offsetY);
              setHovered(bar === null ? null : { bar, x: event.offsetX, y: event.offsetY });
              return;
            }
            const dx = event.clientX - drag.current.x;
            drag.current = { x: event.clientX, moved: drag.current.moved + Math.abs(dx) };
            setHovered(null);
            pan(dx);
          }}
          onPointerUp={(event) => {
            const moved = drag.current?.moved ?? 0;
            drag.current = null;
            const bar = moved > 4 ? null : barAt(picture, event.offsetX, event.offsetY);
            if (bar !== null) onSelect(bar.node);
          }}
          onPointerLeave={() => setHovered(null)}
        />
        {hovered !== null && (
          <p
            class="card timeline-tip"
            style={{ left: `${Math.min(hovered.x + 12, size.width - 240)}px`, top: `${hovered.y + 14}px` }}
          >
            <strong>{hovered.bar.title}</strong>
            <br />
            {durationText((hovered.bar.to ?? picture.now) - hovered.bar.from)} · {hovered.bar.queue} · attempt{' '}
            {hovered.bar.attempt} · {hovered.bar.outcome ?? 'running'}
          </p>
        )}
      </div>
      <p class="drawing-help">
        <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom · <kbd>←</kbd> <kbd>→</kbd> move · <kbd>Ctrl</kbd> and wheel zoom at
        the pointer
      </p>
    </>
  );
}

function extentOf(lanes: readonly Lane[], now: number | null): readonly [number, number] {
  let [first, last] = [Infinity, -Infinity];
  for (const { bars } of lanes) {
    const end = bars.at(-1) as Bar;
    first = Math.min(first, (bars[0] as Bar).from);
    last = Math.max(last, end.to ?? now ?? end.from);
  }
  return [first, now === null ? last : Math.max(last, now)];
}
