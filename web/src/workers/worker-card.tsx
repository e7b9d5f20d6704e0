import { useId } from 'preact/hooks';
import type { WorkerList } from '../../../src/client/types.js';
import { post } from '../api/http.js';
import { announce } from '../ui/announce.js';
import { ConfirmButton } from '../ui/confirm-button.js';
import { durationText, numberText, sizeText } from '../ui/format.js';
import { Icon } from '../ui/icon.js';
import { Meter } from '../ui/meter.js';
import { Duration, Time } from '../ui/time.js';

type Worker = WorkerList['workers'][number];

const engines: Readonly<Record<string, string>> = {
  open: 'the open engine',
  pixyz: 'Pixyz',
  none: 'no engine',
};

/** One worker: what it runs, what it has, and how it has done. */
export function WorkerCard({ worker, onChange }: { worker: Worker; onChange: () => void }) {
  const id = useId();
  const { name, host, slots, children, machine, gpus, running, tasks, draining } = worker;
  const drain = async () => {
    await post(`/workers/${encodeURIComponent(name)}/drain`);
    announce(`Worker ${name} is being drained`);
    onChange();
  };
  return (
    <article class="card worker" aria-labelledby={id}>
      <header>
        <div>
          <h3 id={id}>{name}</h3>
          <p class="soft small-text">
            {host}, process {worker.pid}
          </p>
        </div>
        {draining ? (
          <span class="badge" data-tone="wait">
            <Icon name="drain" />
            Draining
          </span>
        ) : (
          <ConfirmButton
            className="small"
            question={`Drain ${name}? It finishes what it runs, takes nothing new, and ends. This cannot be taken back.`}
            confirm="Drain"
            onConfirm={drain}
          >
            <Icon name="drain" />
            Drain<span class="visually-hidden"> {name}</span>
          </ConfirmButton>
        )}
      </header>
      <div class="worker-meters">
        <Meter
          label="Slots"
          value={slots.used}
          max={slots.limit}
          words={`${slots.used} of ${slots.limit}${slots.lent > 0 ? `, ${slots.lent} lent` : ''}`}
        />
        {machine !== null && (
          <>
            <Meter
              warns
              label="Load"
              value={machine.load}
              max={machine.cpus}
              words={`${machine.load.toFixed(1)} on ${machine.cpus} cores`}
            />
            <Meter
              warns
              label="Memory of the host"
              value={machine.memory_total - machine.memory_free}
              max={machine.memory_total}
              words={`${sizeText(machine.memory_total - machine.memory_free)} of ${sizeText(machine.memory_total)}`}
            />
          </>
        )}
        {gpus.map((gpu) => (
          <Meter
            key={gpu.index}
            warns
            label={`${gpu.name}${gpu.utilization === null ? '' : `, ${gpu.utilization} %`}`}
            value={gpu.memory_used}
            max={gpu.memory_total}
            words={`${sizeText(gpu.memory_used)} of ${sizeText(gpu.memory_total)}`}
          />
        ))}
      </div>
      <dl class="facts">
        <dt>Queues</dt>
        <dd class="chips">
          {worker.queues.map((queue) => (
            <span key={queue} class="chip">
              {queue}
            </span>
          ))}
        </dd>
        <dt>Python children</dt>
        <dd>
          {children.warm} warm, {children.running} running, {sizeText(children.resident_bytes)}
        </dd>
        <dt>Attempts</dt>
        <dd>
          {numberText(tasks.succeeded)} succeeded, {numberText(tasks.failed)} failed
        </dd>
        <dt>Up</dt>
        <dd>
          {durationText(worker.uptime * 1000)}, told of itself <Time at={worker.seen} />
        </dd>
        <dt>Versions</dt>
        <dd>
          {[
            worker.version,
            worker.node === null ? null : `Node ${worker.node.replace(/^v/, '')}`,
            engines[worker.engine ?? ''],
          ]
            .filter(Boolean)
            .join(', ')}
        </dd>
      </dl>
      {running.length > 0 && (
        <div>
          <h4>Running now</h4>
          <ul class="running">
            {running.map((run) => (
              <li key={`${run.job} ${run.attempt}`}>
                <a href={`/ui/jobs/${run.job}`}>{run.name ?? run.job}</a>
                <span class="soft nowrap">
                  {run.queue}
                  {run.attempt > 1 && `, attempt ${run.attempt}`}, <Duration from={run.since} to={null} />
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </article>
  );
}
