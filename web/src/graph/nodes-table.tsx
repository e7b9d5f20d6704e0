import { useMemo, useState } from 'preact/hooks';
import { numberText, plural } from '../ui/format.js';
import { StateBadge } from '../ui/state-badge.js';
import type { GraphNode } from './model/graph-model.js';
import { bySeverity, type StateName, wordOf } from './model/states.js';

const pageSize = 100;

/** Nodes as a table: for those who cannot see the drawing, and for those who look for many. */
export function NodesTable({
  nodes,
  selected,
  isNarrow = false,
  state: wanted = null,
  onState,
  onSelect,
}: {
  nodes: readonly GraphNode[];
  selected: string | null;
  /** Beside the drawing: with less columns. */
  isNarrow?: boolean;
  /** Only those of a state. */
  state?: StateName | null;
  onState?: (state: StateName | null) => void;
  onSelect: (id: string) => void;
}) {
  const [words, setWords] = useState('');
  const [page, setPage] = useState(0);
  const [ownState, setOwnState] = useState<StateName | null>(null);
  const state = onState === undefined ? ownState : wanted;
  const shown = useMemo(() => chosen(nodes, words, state), [nodes, words, state]);
  const last = Math.max(0, Math.ceil(shown.length / pageSize) - 1);
  const from = Math.min(page, last) * pageSize;
  const choose = (text: string) => {
    const next = text === '' ? null : (text as StateName);
    setPage(0);
    if (onState === undefined) setOwnState(next);
    else onState(next);
  };
  return (
    <div class="nodes-table">
      <div class="nodes-filter">
        <input
          type="search"
          aria-label="Filter by name"
          placeholder="Filter by name"
          value={words}
          onInput={(event) => {
            setWords(event.currentTarget.value);
            setPage(0);
          }}
        />
        <select aria-label="State" value={state ?? ''} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">all states</option>
          {bySeverity.map((one) => (
            <option key={one} value={one}>
              {wordOf(one)}
            </option>
          ))}
        </select>
        <span class="soft nowrap" role="status">
          {plural(shown.length, 'node')}
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to get there */}
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Nodes">
        <table>
          <caption class="visually-hidden">Nodes of the graph</caption>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">State</th>
              {!isNarrow && (
                <>
                  <th scope="col">Queue</th>
                  <th scope="col" class="number">
                    Attempt
                  </th>
                  <th scope="col">Waits for</th>
                  <th scope="col">Message</th>
                </>
              )}
            </tr>
          </thead>
          <tbody>
            {shown.slice(from, from + pageSize).map((node) => (
              <tr key={node.number} aria-current={node.id === selected ? 'true' : undefined}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => onSelect(node.id)}>
                    {node.label}
                  </button>
                </th>
                <td>
                  <StateBadge state={node.state} progress={node.progress} />
                </td>
                {!isNarrow && (
                  <>
                    <td>{node.queue}</td>
                    <td class="number">{node.attempt === 0 ? '' : node.attempt}</td>
                    <td class="cut">{someOf(node.deps)}</td>
                    <td class="cut" title={node.message ?? undefined}>
                      {node.message?.trimEnd().split('\n').at(-1)}
                    </td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {last > 0 && (
        <nav class="pages" aria-label="Pages of nodes">
          <button type="button" class="small" disabled={from === 0} onClick={() => setPage(Math.min(page, last) - 1)}>
            Previous
          </button>
          <span class="soft">
            {numberText(from + 1)}–{numberText(Math.min(from + pageSize, shown.length))} of {numberText(shown.length)}
          </span>
          <button
            type="button"
            class="small"
            disabled={from + pageSize >= shown.length}
            onClick={() => setPage(Math.min(page, last) + 1)}
          >
            Next
          </button>
        </nav>
      )}
    </div>
  );
}

function chosen(nodes: readonly GraphNode[], words: string, state: StateName | null): readonly GraphNode[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '' && state === null) return nodes;
  return nodes.filter((node) => {
    if (state !== null && node.state !== state) return false;
    return `${node.id}\n${node.label}`.toLowerCase().includes(wanted);
  });
}

function someOf(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
