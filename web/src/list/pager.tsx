import { Icon } from '../ui/icon.js';
import type { FilterControl } from './filters.js';

/** Which page came before one, for as long as this window is open: cursors lead forward only. */
const before = new Map<string, string>();

export function Pager({ control: { filters, addressOf }, next }: { control: FilterControl; next: string | null }) {
  if (next !== null) before.set(next, filters.after);
  const back = filters.after === '' ? null : (before.get(filters.after) ?? '');
  if (back === null && next === null) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {back !== null && back !== '' && (
        <a class="button" href={addressOf({ after: '' })}>
          First page
        </a>
      )}
      {back !== null && (
        <a class="button" href={addressOf({ after: back })} rel="prev">
          {back === '' ? 'First page' : 'Previous page'}
        </a>
      )}
      {next !== null && (
        <a class="button" href={addressOf({ after: next })} rel="next">
          Next page
          <Icon name="chevron" />
        </a>
      )}
    </nav>
  );
}
