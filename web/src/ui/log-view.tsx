import { useEffect, useRef, useState } from 'preact/hooks';
import { follow } from '../api/follow.js';
import { queryText } from '../api/http.js';
import { Icon } from './icon.js';
import { LogText, shownLines } from './log-text.js';

/**
 * What a job prints, while it does. Stays at the end until somebody scrolls up, and goes on once they are back there.
 * @param attempt null: the last one, and those that follow
 */
export function LogView({ job, attempt = null }: { job: string; attempt?: number | null }) {
  const [text, setText] = useState('');
  const [state, setState] = useState<'following' | 'lost' | 'ended'>('following');
  const [problem, setProblem] = useState<Error | null>(null);
  const [wraps, setWraps] = useState(false);
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);

  useEffect(() => {
    const pieces = new LogText();
    let frame = 0;
    setText('');
    setProblem(null);
    setState('following');
    atEnd.current = true;
    const stop = follow(`/jobs/${job}/logs${queryText({ follow: true, tail: shownLines, attempt })}`, {
      on: {
        log: (piece: { attempt: number; text: string }) => {
          pieces.add(piece.attempt, piece.text);
          // A script that prints without end is drawn once a frame.
          frame ||= requestAnimationFrame(() => {
            frame = 0;
            setText(pieces.text());
          });
        },
        end: () => setState('ended'),
      },
      isLast: (event) => event === 'end',
      onRestart: () => pieces.clear(),
      onConnection: (connected) => setState(connected ? 'following' : 'lost'),
      onError: setProblem,
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [job, attempt]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: after each change of the text
  useEffect(() => {
    const { current } = box;
    if (current !== null && atEnd.current) current.scrollTop = current.scrollHeight;
  }, [text]);

  const scrolled = () => {
    const { current } = box;
    if (current !== null) atEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < 30;
  };
  const whole = `/jobs/${job}/logs${queryText({ attempt: attempt ?? 'last' })}`;
  return (
    <div class="code-box log">
      <div class="code-tools">
        <span class="log-state" data-state={state}>
          {{ following: 'live', lost: 'connection lost, trying again', ended: 'complete' }[state]}
        </span>
        <button type="button" class="small quiet" aria-pressed={wraps} onClick={() => setWraps(!wraps)}>
          Wrap lines
        </button>
        <a class="button small quiet" href={whole} download={`${job}.log`}>
          <Icon name="download" />
          Whole log
        </a>
      </div>
      {problem !== null && <p class="problem">{problem.message}</p>}
      {/* Not read out line by line: a script may print a thousand a second. */}
      <pre
        ref={box}
        class={wraps ? 'wraps' : ''}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Log"
        onScroll={scrolled}
      >
        {text}
        {text === '' && (
          <span class="faint">{state === 'ended' ? 'Nothing was printed.' : 'Nothing printed yet.'}</span>
        )}
      </pre>
    </div>
  );
}
