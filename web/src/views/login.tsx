import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../../../src/client/errors.js';
import { sessionNotice, signIn } from '../session.js';
import { ThemeSwitch } from '../ui/theme-switch.js';
import { useTitle } from '../ui/title.js';

export function LoginView() {
  useTitle('Sign in');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const input = field.current;
    if (input === null || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await signIn(input.value);
    } catch (error) {
      setProblem(wordsFor(error as Error));
      setBusy(false);
      input.select();
    }
  };

  return (
    <main class="login">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <img src="/ui/icon.svg" alt="" width="44" height="44" />
        <h1>Pixyz Scheduler</h1>
        {sessionNotice.value !== null && <p role="status">{sessionNotice.value}</p>}
        {/* For password managers, which want a name beside what they keep. */}
        <input
          class="visually-hidden"
          type="text"
          autocomplete="username"
          value="token"
          tabIndex={-1}
          aria-hidden="true"
          readOnly
        />
        <label for="token">Token</label>
        <input
          ref={field}
          id="token"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="token-help token-problem"
          aria-invalid={problem !== null}
        />
        <p id="token-help" class="faint">
          <code>npm start</code> shows it once and keeps it in <code>.data/api-token</code>.
        </p>
        <p id="token-problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          Sign in
        </button>
      </form>
      <div class="login-theme">
        <ThemeSwitch />
      </div>
    </main>
  );
}

function wordsFor(error: Error): string {
  if (error instanceof ApiError && error.status === 401) return 'This is not the token.';
  return error.message;
}
