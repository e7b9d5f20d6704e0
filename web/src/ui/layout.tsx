import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { sessionFacts, signOut } from '../session.js';
import { Announcer } from './announce.js';
import { Icon, type IconName } from './icon.js';
import { SystemState } from './system-state.js';
import { ThemeSwitch } from './theme-switch.js';

interface Place {
  readonly href: string;
  readonly words: string;
  /** Left out where there is little room. */
  readonly more?: string;
  readonly icon: IconName;
}

const places: readonly Place[] = [
  { href: '/ui/jobs', words: 'Jobs', icon: 'jobs' },
  { href: '/ui/graphs', words: 'Graphs', icon: 'graphs' },
  { href: '/ui/submit', words: 'Submit', icon: 'submit' },
  { href: '/ui/workflows', words: 'Workflows', icon: 'workflows' },
  { href: '/ui/workers', words: 'Workers', more: ' and queues', icon: 'workers' },
];

export function Layout({ children }: { children: ComponentChildren }) {
  const { path } = useLocation();
  const isHere = (href: string) =>
    path === href || path.startsWith(`${href}/`) || (path === '/ui' && href === '/ui/jobs');
  return (
    <>
      <a class="skip-link" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="/ui/jobs">
          <img src="/ui/icon.svg" alt="" width="26" height="26" />
          <span>
            Pixyz <span class="brand-rest">Scheduler</span>
          </span>
        </a>
        <nav class="places" aria-label="Main">
          {places.map(({ href, words, more, icon }) => (
            <a key={href} href={href} aria-current={isHere(href) ? 'page' : undefined}>
              <Icon name={icon} />
              <span>
                {words}
                <span class="place-more">{more}</span>
              </span>
            </a>
          ))}
        </nav>
        <div class="top-end">
          <SystemState />
          <ThemeSwitch />
          <button type="button" class="quiet icon-only" onClick={() => void signOut()} title="Sign out">
            <Icon name="exit" />
            <span class="visually-hidden">Sign out</span>
          </button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <footer class="bottom">
        <span>Pixyz Temporal Scheduler {sessionFacts.value?.version}</span>
        <a href="/docs" target="_blank" rel="noreferrer">
          REST API
        </a>
        {sessionFacts.value?.temporal_ui && (
          <a href={sessionFacts.value.temporal_ui} target="_blank" rel="noreferrer">
            Temporal Web UI
          </a>
        )}
      </footer>
      <Announcer />
    </>
  );
}
