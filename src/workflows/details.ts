import type { Counts } from '../graph/node-table.js';

const shown = 20;

/**
 * What the Temporal Web UI shows of a graph while it runs, and after: how many nodes are where, and which have failed.
 * It costs no history: the text is read by a query.
 */
export function detailsText(counts: Counts, failures: ReadonlyMap<number, { readonly label: string }>): string {
  const total = counts.unended + counts.succeeded + counts.failed + counts.revoked + counts.skipped;
  const lines = [
    `**${counts.succeeded} of ${total} nodes have succeeded**`,
    `${counts.unended} to come, ${counts.failed} failed, ${counts.skipped} skipped, ${counts.revoked} revoked`,
  ];
  if (failures.size > 0) lines.push('', 'Failed:');
  for (const [node, { label }] of [...failures].slice(0, shown))
    lines.push(`- ${label.replace(/[\\`*_<[\]]/g, '\\$&')} (node ${node})`);
  if (failures.size > shown) lines.push(`- … and ${failures.size - shown} more`);
  return lines.join('\n');
}

/** For lists of runs, where it can be read after the end without looking into the history. */
export function memoOf(
  counts: Counts,
  failures: ReadonlyMap<number, { readonly label: string }>,
): Record<string, unknown> {
  const { unended: _unended, ...ends } = counts;
  return { counts: ends, failed: [...failures.values()].slice(0, 10).map(({ label }) => label) };
}
