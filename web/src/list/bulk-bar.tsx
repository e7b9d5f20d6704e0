import { useState } from 'preact/hooks';
import { announce } from '../ui/announce.js';
import { ConfirmButton } from '../ui/confirm-button.js';
import { plural } from '../ui/format.js';
import { Icon, type IconName } from '../ui/icon.js';
import { mostSelected } from './use-rows.js';

export interface BulkAction {
  readonly words: string;
  readonly icon: IconName;
  /** What it says when it is done, as in "3 jobs cancelled". */
  readonly done: string;
  /** Of those that are selected, the ones that it can be done for. */
  readonly ids: readonly string[];
  readonly act: (ids: readonly string[]) => Promise<BulkOutcome>;
}

export interface BulkOutcome {
  readonly done: number;
  readonly problems: readonly string[];
}

/** What can be done with the rows that are selected. */
export function BulkBar({
  what,
  selected,
  actions,
  onSelectAll,
  onClear,
  onDone,
}: {
  /** One of them, such as "job". */
  what: string;
  selected: number;
  actions: readonly BulkAction[];
  /** null: all that there are stand on this page. */
  onSelectAll: (() => Promise<void>) | null;
  onClear: () => void;
  onDone: () => void;
}) {
  const [message, setMessage] = useState<{ readonly text: string; readonly problems: readonly string[] } | null>(null);
  const [gathering, setGathering] = useState(false);
  const run = async ({ act, ids, done }: BulkAction) => {
    try {
      const outcome = await act(ids);
      const text = `${plural(outcome.done, what)} ${done}`;
      announce(outcome.problems.length === 0 ? text : `${text}, ${outcome.problems.length} not`);
      setMessage({ text, problems: [...new Set(outcome.problems)] });
      onDone();
    } catch (error) {
      setMessage({ text: '', problems: [(error as Error).message] });
    }
  };
  const gather = async (selectAll: () => Promise<void>) => {
    setGathering(true);
    try {
      await selectAll();
    } catch (error) {
      setMessage({ text: '', problems: [(error as Error).message] });
    }
    setGathering(false);
  };
  if (selected === 0 && message === null) return null;
  return (
    <section class="bulk-bar card" aria-label="Selection">
      {selected > 0 && (
        <>
          <strong>{plural(selected, what)} selected</strong>
          <div class="actions">
            {actions.map((action) => (
              <ConfirmButton
                key={action.words}
                className="small"
                disabled={action.ids.length === 0}
                question={`${action.words}: ${plural(action.ids.length, what)}?`}
                confirm={action.words}
                onConfirm={() => run(action)}
              >
                <Icon name={action.icon} />
                {action.words}
                {action.ids.length > 0 && action.ids.length < selected && ` (${action.ids.length})`}
              </ConfirmButton>
            ))}
            {onSelectAll !== null && selected < mostSelected && (
              <button type="button" class="small quiet" disabled={gathering} onClick={() => void gather(onSelectAll)}>
                {gathering ? 'Selecting …' : `Select on all pages, at most ${mostSelected}`}
              </button>
            )}
            <button type="button" class="small quiet" onClick={onClear}>
              Clear selection
            </button>
          </div>
        </>
      )}
      {message !== null && (
        <div class="bulk-outcome">
          <span>{message.text}</span>
          {message.problems.slice(0, 5).map((problem) => (
            <span key={problem} class="problem">
              {problem}
            </span>
          ))}
          <button type="button" class="small quiet" onClick={() => setMessage(null)}>
            Dismiss
          </button>
        </div>
      )}
    </section>
  );
}
