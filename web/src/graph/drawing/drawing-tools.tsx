import { useId, useMemo, useState } from 'preact/hooks';
import { numberText, plural } from '../../ui/format.js';
import { Icon } from '../../ui/icon.js';
import type { GraphModel, GraphNode } from '../model/graph-model.js';
import { wordOf } from '../model/states.js';
import { StateSymbol } from '../parts/state-symbol.js';

const mostListed = 8;

export function DrawingTools({
  model,
  criticalPath,
  onCriticalPath,
  onFit,
  onZoom,
  onSearch,
  onReveal,
  onOpenAll,
  onCloseAll,
}: {
  model: GraphModel;
  criticalPath: readonly number[] | null;
  onCriticalPath: (isShown: boolean) => void;
  onFit: () => void;
  onZoom: (factor: number) => void;
  /** Numbers of what was found; null: nothing is searched. */
  onSearch: (found: ReadonlySet<number> | null) => void;
  onReveal: (node: GraphNode) => void;
  /** null: there is nothing to open. */
  onOpenAll: (() => void) | null;
  onCloseAll: (() => void) | null;
}) {
  return (
    <div class="drawing-tools" role="toolbar" aria-label="Drawing">
      <Search model={model} onSearch={onSearch} onReveal={onReveal} />
      <button
        type="button"
        class="small"
        aria-pressed={criticalPath !== null}
        title="The way through the graph that takes longest: what makes the whole faster is on it"
        onClick={() => onCriticalPath(criticalPath === null)}
      >
        <Icon name="bolt" />
        Critical path
      </button>
      {onOpenAll !== null && (
        <button type="button" class="small" onClick={onOpenAll}>
          Open stacks
        </button>
      )}
      {onCloseAll !== null && (
        <button type="button" class="small" onClick={onCloseAll}>
          Close stacks
        </button>
      )}
      <span class="drawing-zoom">
        <button type="button" class="small icon-only" aria-label="Further away" onClick={() => onZoom(0.8)}>
          −
        </button>
        <button type="button" class="small icon-only" aria-label="Closer" onClick={() => onZoom(1.25)}>
          +
        </button>
        <button type="button" class="small" onClick={onFit}>
          Show all
        </button>
      </span>
    </div>
  );
}

function Search({
  model,
  onSearch,
  onReveal,
}: {
  model: GraphModel;
  onSearch: (found: ReadonlySet<number> | null) => void;
  onReveal: (node: GraphNode) => void;
}) {
  const [words, setWords] = useState('');
  const id = useId();
  const found = useMemo(() => nodesNamed(model, words), [model, words]);
  const search = (text: string) => {
    setWords(text);
    setOpen(text.trim() !== '');
    onSearch(text.trim() === '' ? null : new Set(nodesNamed(model, text).map(({ number }) => number)));
  };
  const [isOpen, setOpen] = useState(false);
  const reveal = (node: GraphNode) => {
    setOpen(false);
    onReveal(node);
  };
  return (
    <search class="drawing-search">
      <Icon name="search" />
      <input
        type="search"
        aria-label="Find a node"
        placeholder="Find a node"
        value={words}
        aria-describedby={isOpen ? id : undefined}
        onInput={(event) => search(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') search('');
          if (event.key === 'Enter' && found[0] !== undefined) reveal(found[0]);
        }}
      />
      {isOpen && (
        <div class="card drawing-found">
          <p id={id} class="soft" role="status">
            {found.length === 0 ? 'No node has this in its name' : `${plural(found.length, 'node')} found`}
          </p>
          <ul class="plain">
            {found.slice(0, mostListed).map((node) => (
              <li key={node.number}>
                <button type="button" class="quiet small" onClick={() => reveal(node)}>
                  <StateSymbol state={node.state} />
                  <span>{node.label}</span>
                  <span class="faint">{wordOf(node.state)}</span>
                </button>
              </li>
            ))}
          </ul>
          {found.length > mostListed && <p class="faint">and {numberText(found.length - mostListed)} more</p>}
        </div>
      )}
    </search>
  );
}

/** Those whose name begins with the words come first. */
function nodesNamed(model: GraphModel, words: string): GraphNode[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return [];
  const [first, later]: [GraphNode[], GraphNode[]] = [[], []];
  for (const node of model.all()) {
    const at = Math.min(...[node.id, node.label].map((text) => placeIn(text.toLowerCase(), wanted)));
    if (at === 0) first.push(node);
    else if (at < Infinity) later.push(node);
  }
  return [...first, ...later];
}

function placeIn(text: string, words: string): number {
  const at = text.indexOf(words);
  return at < 0 ? Infinity : at;
}
