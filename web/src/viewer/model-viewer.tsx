import { useEffect, useRef, useState } from 'preact/hooks';
import { blob } from '../api/http.js';
import { numberText, sizeText } from '../ui/format.js';
import { loadModel } from './load-model.js';
import { type ModelFacts, Stage } from './stage.js';

/** A 3D model to turn, with the mouse, a finger or the keyboard. */
export function ModelViewer({ path, url, size }: { path: string; url: string; size: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<Stage | null>(null);
  const [facts, setFacts] = useState<ModelFacts | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [edges, setEdges] = useState(false);

  useEffect(() => {
    const ending = new AbortController();
    const show = async () => {
      const content = await (await blob(url, { signal: ending.signal })).arrayBuffer();
      const model = await loadModel(content, path);
      if (ending.signal.aborted || canvas.current === null) return;
      stage.current = new Stage(canvas.current, model);
      setFacts(stage.current.facts);
    };
    show().catch((error: Error) => {
      if (!ending.signal.aborted) setProblem(wordsFor(error));
    });
    return () => {
      ending.abort();
      stage.current?.dispose();
      stage.current = null;
    };
  }, [url, path]);

  const onKey = (event: KeyboardEvent) => {
    const move = keys[event.key];
    if (move === undefined || stage.current === null) return;
    event.preventDefault();
    move(stage.current);
  };
  const toggleEdges = () => {
    stage.current?.showEdges(!edges);
    setEdges(!edges);
  };

  return (
    <figure class="viewer">
      <div class="viewer-stage">
        {problem === null ? (
          // Arrow keys turn the model instead of moving through the page: that is what role "application" tells.
          <canvas
            ref={canvas}
            tabIndex={0}
            role="application"
            aria-label={`3D model ${path}`}
            aria-describedby="viewer-help"
            data-state={facts === null ? 'loading' : 'shown'}
            onKeyDown={onKey}
          />
        ) : (
          <p class="problem">
            {path} cannot be shown here: {problem}
          </p>
        )}
        {facts === null && problem === null && <p class="viewer-wait">Loading {sizeText(size)} …</p>}
        <div class="viewer-tools">
          <button type="button" class="small" onClick={toggleEdges} aria-pressed={edges} disabled={facts === null}>
            Edges
          </button>
          <button type="button" class="small" onClick={() => stage.current?.fit()} disabled={facts === null}>
            Fit
          </button>
        </div>
      </div>
      <figcaption>
        <span>{path}</span>
        {facts !== null && (
          <span class="soft">
            {numberText(facts.triangles)} triangles, {numberText(facts.vertices)} vertices, {numberText(facts.meshes)}{' '}
            meshes, {numberText(facts.materials)} materials, box {facts.size.map(lengthText).join(' × ')}
          </span>
        )}
        <span id="viewer-help" class="faint">
          Drag or arrow keys turn, wheel or <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>0</kbd> fits.
        </span>
      </figcaption>
    </figure>
  );
}

const step = Math.PI / 18;
function wordsFor(error: Error): string {
  // Words of a parser, or of the library, help nobody here.
  if (error instanceof SyntaxError || error instanceof RangeError) return 'it is damaged, or of another format';
  if (/draco/i.test(error.message)) return 'it is compressed with Draco';
  return error.message;
}

const keys: Readonly<Record<string, (stage: Stage) => void>> = {
  ArrowLeft: (stage) => stage.turn(step, 0),
  ArrowRight: (stage) => stage.turn(-step, 0),
  ArrowUp: (stage) => stage.turn(0, step),
  ArrowDown: (stage) => stage.turn(0, -step),
  '+': (stage) => stage.zoom(0.85),
  '=': (stage) => stage.zoom(0.85),
  '-': (stage) => stage.zoom(1 / 0.85),
  '0': (stage) => stage.fit(),
};

function lengthText(value: number): string {
  return value.toLocaleString(undefined, { maximumSignificantDigits: 4 });
}
