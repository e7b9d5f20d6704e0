import { useMemo } from 'preact/hooks';
import type { QueueList } from '../../../src/client/types.js';
import { get } from '../api/http.js';
import { useLive } from '../ui/use-live.js';
import type { Settings } from './job-form.js';

const askQueues = (signal: AbortSignal) => get<QueueList>('/queues', {}, { signal });

/** How the job is to be run. What is left empty is decided by the decorator of the script, or the system. */
export function SettingsFields({
  settings,
  defaults,
  problems,
  onChange,
}: {
  settings: Settings;
  /** What the decorator says. */
  defaults: Readonly<Record<string, unknown>>;
  problems: Readonly<Record<string, string>>;
  onChange: (changes: Partial<Settings>) => void;
}) {
  const { data } = useLive(askQueues, { everyMs: 15_000 });
  const queues = useMemo(() => (data?.queues ?? []).filter(({ service }) => !service), [data]);
  const told = (key: string, fallback: string) => {
    const value = defaults[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : fallback;
  };
  const chosen = queues.find(({ queue }) => queue === (settings.queue || told('queue', 'cpu')));
  const field = (key: keyof Settings, name: string, label: string, placeholder: string, help?: string) => (
    <div class="field">
      <label for={`setting-${name}`}>{label}</label>
      <input
        id={`setting-${name}`}
        type="text"
        inputMode="decimal"
        placeholder={placeholder}
        value={settings[key] as string}
        aria-invalid={problems[name] !== undefined}
        aria-describedby={`setting-${name}-help`}
        onInput={(event) => onChange({ [key]: event.currentTarget.value })}
      />
      <p id={`setting-${name}-help`} class={problems[name] === undefined ? 'help' : 'problem'}>
        {problems[name] ?? help}
      </p>
    </div>
  );
  return (
    <>
      <div class="fields">
        <div class="field">
          <label for="setting-name">Name</label>
          <input
            id="setting-name"
            type="text"
            placeholder="to find it again"
            value={settings.name}
            onInput={(event) => onChange({ name: event.currentTarget.value })}
          />
        </div>
        <div class="field">
          <label for="setting-queue">Queue</label>
          <input
            id="setting-queue"
            type="text"
            list="queues"
            placeholder={told('queue', 'cpu')}
            value={settings.queue}
            aria-describedby="setting-queue-help"
            onInput={(event) => onChange({ queue: event.currentTarget.value.trim() })}
          />
          <datalist id="queues">
            {queues.map(({ queue }) => (
              <option key={queue} value={queue} />
            ))}
          </datalist>
          <p id="setting-queue-help" class={chosen !== undefined && chosen.workers.length === 0 ? 'problem' : 'help'}>
            {data === null ? '' : queueWords(chosen)}
          </p>
        </div>
        {field('timeLimit', 'time_limit', 'Time limit, seconds', told('time_limit', '3600'), 'Over 86400: none.')}
        {field(
          'retries',
          'retries',
          'Retries',
          told('retries', '1'),
          'After a crash, exit, time-out or lack of memory.',
        )}
      </div>
      <details class="more">
        <summary>More settings</summary>
        <div class="fields">
          {field('priority', 'priority', 'Priority', told('priority', '4'), '0 first … 9 last, within a queue.')}
          {field('countdown', 'countdown', 'Wait before the start, seconds', told('countdown', '0'))}
          <div class="field">
            <label for="setting-root">Main file in an archive</label>
            <input
              id="setting-root"
              type="text"
              placeholder="scene/main.gltf"
              value={settings.rootFile}
              onInput={(event) => onChange({ rootFile: event.currentTarget.value })}
            />
          </div>
          <label class="inline-field">
            <input
              type="checkbox"
              checked={settings.computeOnly}
              onChange={(event) => onChange({ computeOnly: event.currentTarget.checked })}
            />
            No output folder
          </label>
        </div>
      </details>
    </>
  );
}

function queueWords(queue: QueueList['queues'][number] | undefined): string {
  if (queue === undefined) return 'Nobody serves a queue of this name now: the job would wait.';
  if (queue.workers.length === 0) return 'No worker serves it now: the job would wait.';
  const waiting =
    queue.backlog === 0 ? 'nothing waits' : queue.backlog === 1 ? 'one job waits' : `${queue.backlog} jobs wait`;
  return `${queue.workers.length === 1 ? 'One worker serves' : `${queue.workers.length} workers serve`} it, ${waiting}.`;
}
