import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { numberText } from '../ui/format.js';
import { Icon } from '../ui/icon.js';
import type { FilterControl } from './filters.js';

export interface StateChoice {
  /** As it stands in the address; empty: all. */
  readonly value: string;
  readonly words: string;
  readonly count?: number | undefined;
}

/** The filters of a list: states with their numbers, a part of the name, a time, and what the list adds. */
export function FilterBar({
  control,
  states,
  children,
}: {
  control: FilterControl;
  states: readonly StateChoice[];
  children?: ComponentChildren;
}) {
  const { filters, change, addressOf } = control;
  return (
    <search class="filter-bar">
      <nav class="segments" aria-label="State">
        {states.map(({ value, words, count }) => (
          <a key={value} href={addressOf({ state: value })} aria-current={filters.state === value ? 'true' : undefined}>
            {words}
            {count !== undefined && <span class="segment-count">{numberText(count)}</span>}
          </a>
        ))}
      </nav>
      <div class="filter-fields">
        <NameFilter control={control} />
        <label class="visually-hidden" for="filter-time">
          Requested
        </label>
        <select id="filter-time" value={filters.time} onChange={(event) => change({ time: event.currentTarget.value })}>
          <option value="">Any time</option>
          <option value="1h">Last hour</option>
          <option value="24h">Last 24 hours</option>
          <option value="7d">Last 7 days</option>
          <option value="30d">Last 30 days</option>
          <option value="custom">From … to …</option>
        </select>
        {filters.time === 'custom' && (
          <>
            <input
              type="datetime-local"
              aria-label="From"
              value={filters.from}
              onChange={(event) => change({ from: event.currentTarget.value })}
            />
            <input
              type="datetime-local"
              aria-label="To"
              value={filters.to}
              onChange={(event) => change({ to: event.currentTarget.value })}
            />
          </>
        )}
        {children}
      </div>
    </search>
  );
}

/** Narrows while somebody types, and not at each letter. */
function NameFilter({ control: { filters, change } }: { control: FilterControl }) {
  const [typed, setTyped] = useState(filters.q);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setTyped(filters.q), [filters.q]);
  useEffect(() => {
    if (typed === filters.q) return;
    const timer = setTimeout(() => change({ q: typed }, true), 250);
    return () => clearTimeout(timer);
  }, [typed, filters.q, change]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement)
        return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="search-field">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        aria-label="Part of the name"
        placeholder="Part of the name"
        maxLength={100}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}
