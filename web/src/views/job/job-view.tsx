import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { AskedJob, JobDetails, JobState, RetriedJob } from '../../../../src/client/types.js';
import { post, remove } from '../../api/http.js';
import { Attempts } from '../../job/attempts.js';
import { countsIn, MeshStatistics } from '../../job/mesh-statistics.js';
import { Outputs } from '../../job/outputs.js';
import { Request } from '../../job/request.js';
import { Steps } from '../../job/steps.js';
import { Traceback } from '../../job/traceback.js';
import { hasEnded, useJob, useOnce } from '../../job/use-job.js';
import { announce } from '../../ui/announce.js';
import { ConfirmButton } from '../../ui/confirm-button.js';
import { CopyButton } from '../../ui/copy-button.js';
import { ErrorNote } from '../../ui/error-note.js';
import { Icon } from '../../ui/icon.js';
import { JsonView } from '../../ui/json-view.js';
import { LogView } from '../../ui/log-view.js';
import { LostNote } from '../../ui/lost-note.js';
import { ProgressBar } from '../../ui/progress-bar.js';
import { Section } from '../../ui/section.js';
import { StateBadge } from '../../ui/state-badge.js';
import { Duration, Time } from '../../ui/time.js';
import { useTitle } from '../../ui/title.js';

/** Everything of one job, live. */
export function JobView({ id = '' }: { id?: string }) {
  const { details, error, deleted, isConnected } = useJob(id);
  const started = (details?.attempts.length ?? 0) > 0 || (details !== null && details.status !== 'PENDING');
  // A node of a graph has its request once it has begun.
  const { data: asked } = useOnce<AskedJob>(details === null ? null : `/jobs/${id}/request${started ? '' : '?'}`);
  useTitle(details === null ? 'Job' : (details.name ?? details.process ?? 'Job'));
  if (error !== null) {
    return (
      <div class="stack">
        <h1>Job</h1>
        <ErrorNote error={error} />
        <p>
          <a href="/ui/jobs">To the jobs</a>
        </p>
      </div>
    );
  }
  if (details === null) {
    return (
      <>
        <h1 class="faint">Job …</h1>
        {!isConnected && <LostNote />}
      </>
    );
  }
  return (
    <>
      <JobHead details={details} asked={asked} deleted={deleted} />
      {!isConnected && <LostNote />}
      <div class="job-columns">
        <div class="stack">
          {details.error !== null && (
            <Section title={details.status === 'RETRY' ? 'Why it is tried again' : 'Why it failed'}>
              <Traceback text={details.error} />
            </Section>
          )}
          {details.status === 'REVOKED' && typeof details.result === 'string' && (
            <Section title="Why it did not run to its end">
              <p>{details.result}</p>
            </Section>
          )}
          <MeshSection details={details} />
          {asked?.compute_only !== true && (
            <Section title="Outputs">
              <Outputs
                job={id}
                live={!hasEnded(details.status)}
                marker={`${details.status} ${details.steps?.length ?? 0} ${details.attempts.length}`}
              />
            </Section>
          )}
          <LogSection details={details} />
        </div>
        <div class="stack">
          {details.steps !== null && details.steps.length > 0 && (
            <Section title="Steps">
              <Steps steps={details.steps} started={details.time_info.started} running={details.status === 'RUNNING'} />
            </Section>
          )}
          {details.status === 'SUCCESS' && (
            <Section title="Result">
              <JsonView text={details.resultText} what="Result" />
            </Section>
          )}
          {asked !== null && (
            <Section title="Request">
              <Request asked={asked} />
            </Section>
          )}
          {details.attempts.length > 0 && (
            <Section title="Attempts" flush>
              <Attempts attempts={details.attempts} />
            </Section>
          )}
        </div>
      </div>
    </>
  );
}

function JobHead({ details, asked, deleted }: { details: JobDetails; asked: AskedJob | null; deleted: boolean }) {
  const { uuid, name, process, status, progress, time_info: times, waiting, links, retry_of, reused_from } = details;
  const running = status === 'RUNNING';
  return (
    <>
      <div class="view-head">
        <div>
          <p class="crumbs">
            {asked?.graph ? (
              <>
                <a href="/ui/graphs">Graphs</a> / <a href={`/ui/graphs/${asked.graph}`}>its graph</a>
              </>
            ) : (
              <a href="/ui/jobs">Jobs</a>
            )}
          </p>
          <h1>{name ?? process ?? 'Job'}</h1>
          <div class="sub">
            <StateBadge state={status} progress={progress} />
            {process !== null && name !== null && <span>{process}</span>}
            {details.queue !== null && <span>queue {details.queue}</span>}
            <span>
              asked for <Time at={times.request} />
            </span>
            {times.started !== null && (
              <span>
                {hasEnded(status) ? 'took' : 'running for'} <Duration from={times.started} to={times.stopped} />
              </span>
            )}
            {details.retry > 0 && (
              <span>{details.retry === 1 ? 'retried once' : `retried ${details.retry} times`}</span>
            )}
            <span class="job-id">
              <code>{uuid}</code>
              <CopyButton text={uuid} what="id" />
            </span>
          </div>
          <div class="sub">
            {links['temporal'] !== undefined && (
              <a href={links['temporal']} target="_blank" rel="noreferrer">
                Trace in Temporal
              </a>
            )}
            {retry_of !== null && <a href={`/ui/jobs/${retry_of}`}>Repeats another job</a>}
            {reused_from !== null && <a href={`/ui/jobs/${reused_from}`}>Took the result of another job</a>}
          </div>
        </div>
        {!deleted && <JobActions details={details} />}
      </div>
      {running && <ProgressBar value={progress} label="Progress of the job" />}
      {waiting !== null && (
        <p class="note note-wait" role="status">
          <Icon name="clock" />
          <span>It waits: {waiting}</span>
        </p>
      )}
      {deleted && (
        <p class="note" role="status">
          This job has been deleted. What is shown here is the last that was known of it.
        </p>
      )}
    </>
  );
}

function JobActions({ details: { uuid, status } }: { details: JobDetails }) {
  const { route } = useLocation();
  const [problem, setProblem] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error as Error);
    } finally {
      setBusy(false);
    }
  };
  const cancel = () =>
    act(async () => {
      await post<JobState>(`/jobs/${uuid}/cancel`);
      announce('The job is being cancelled');
    });
  const retry = () =>
    act(async () => {
      const { uuid: again } = await post<RetriedJob>(`/jobs/${uuid}/retry`);
      announce('The job runs again, as a new one');
      route(`/ui/jobs/${again}`);
    });
  const drop = () =>
    act(async () => {
      await remove(`/jobs/${uuid}`);
      announce('The job was deleted');
      route('/ui/jobs');
    });
  return (
    <div>
      <div class="actions">
        {hasEnded(status) ? (
          <>
            <button type="button" class="primary" disabled={busy} onClick={() => void retry()}>
              <Icon name="retry" />
              Run again
            </button>
            <ConfirmButton
              className="danger"
              disabled={busy}
              question="Delete this job with its inputs, outputs and logs?"
              confirm="Delete"
              onConfirm={drop}
            >
              <Icon name="trash" />
              Delete
            </ConfirmButton>
          </>
        ) : (
          <button type="button" class="danger" disabled={busy} onClick={() => void cancel()}>
            <Icon name="cancel" />
            Cancel
          </button>
        )}
      </div>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem.message}
        </p>
      )}
    </div>
  );
}

function MeshSection({ details }: { details: JobDetails }) {
  const counts = details.status === 'SUCCESS' ? countsIn(details.result) : null;
  if (counts === null) return null;
  return (
    <Section title="Mesh statistics">
      <MeshStatistics counts={counts} />
    </Section>
  );
}

function LogSection({ details }: { details: JobDetails }) {
  const [attempt, setAttempt] = useState<number | null>(null);
  return (
    <Section
      title="Log"
      actions={
        details.attempts.length > 1 && (
          <label class="inline-field">
            Attempt
            <select value={attempt ?? ''} onChange={(event) => setAttempt(Number(event.currentTarget.value) || null)}>
              <option value="">last</option>
              {details.attempts.map(({ attempt: number }) => (
                <option key={number} value={number}>
                  {number}
                </option>
              ))}
            </select>
          </label>
        )
      }
    >
      <LogView key={`${details.uuid} ${attempt}`} job={details.uuid} attempt={attempt} />
    </Section>
  );
}
