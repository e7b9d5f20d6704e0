/** Names around workflow files. Workflows import this file: nothing that is not a name here. */

/** The task queue of one version of a workflow file: its runs stay on it, and so with the code they began with. */
export function versionQueue(name: string, version: string): string {
  return `pixyz:workflow:${name}:${version}`;
}

/** Name and version in the name of a task queue; null for any other queue. */
export function versionOfQueue(queue: string): { readonly name: string; readonly version: string } | null {
  const [, name, version] = /^pixyz:workflow:([^:]+):([0-9a-f]+)$/.exec(queue) ?? [];
  return name === undefined || version === undefined ? null : { name, version };
}

/** The task queue of what belongs to no version: what schedules start. */
export const launchQueue = 'pixyz:workflow-files';

/** What a workflow may be called: the name of its file, without the ending. It is a part of paths, queues and URLs. */
export const workflowNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
