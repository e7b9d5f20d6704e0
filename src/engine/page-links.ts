import { jobIdOf } from '../contract/ids.js';

/**
 * The way back from the Temporal Web UI: each run says where our page shows it, in its details (Markdown). A standalone
 * activity has no details; its id is the job's.
 */
export class PageLinks {
  readonly #apiUrl: string | undefined;

  /** @param apiUrl address of the API as people reach it; absent: runs tell nothing */
  constructor(apiUrl: string | undefined) {
    this.#apiUrl = apiUrl?.replace(/\/+$/, '');
  }

  /** To be spread into the options of a start. */
  of(graphId: string, isGraph: boolean): { readonly staticDetails?: string } {
    if (this.#apiUrl === undefined) return {};
    const path = isGraph ? `graphs/${graphId}` : `jobs/${jobIdOf(graphId, 1)}`;
    return { staticDetails: `[Show this ${isGraph ? 'graph' : 'job'} on the page](${this.#apiUrl}/ui/${path})` };
  }
}
