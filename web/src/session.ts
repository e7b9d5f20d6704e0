import { signal } from '@preact/signals';
import { get, post } from './api/http.js';

/** Whether somebody is signed in. The server keeps who in a cookie that no script can read. */

export interface Session {
  readonly authenticated: boolean;
  readonly expires: string | null;
  readonly version: string;
  /** Address of the namespace in the Temporal Web UI. */
  readonly temporal_ui: string | null;
}

export const session = signal<'unknown' | 'in' | 'out'>('unknown');
export const sessionFacts = signal<Session | null>(null);
/** Why somebody who was signed in is asked again. */
export const sessionNotice = signal<string | null>(null);

export async function checkSession(): Promise<void> {
  try {
    take(await get<Session>('/ui/session'));
  } catch (error) {
    sessionNotice.value = (error as Error).message;
    session.value = 'out';
  }
}

export async function signIn(token: string): Promise<void> {
  take(await post<Session>('/ui/login', { token }));
  sessionNotice.value = null;
}

export async function signOut(): Promise<void> {
  take(await post<Session>('/ui/logout'));
}

/** A call was refused for want of a session. */
export function sessionEnded(): void {
  if (session.value !== 'in') return;
  sessionNotice.value = 'Your session is over. Sign in again to go on where you were.';
  session.value = 'out';
}

function take(facts: Session): void {
  sessionFacts.value = facts;
  session.value = facts.authenticated ? 'in' : 'out';
}
