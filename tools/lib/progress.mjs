// @ts-check
/**
 * What is shown while something works: on a terminal a live line for each step that runs; elsewhere a line when a step
 * begins and ends, and one every 20 seconds in between. A step that finds everything done shows nothing at all.
 */

const live = process.stderr.isTTY === true;
const everyMs = live ? 250 : 20_000;

/** @typedef {{ title: string, detail: string, since: number }} Step */
/** @type {Set<Step>} */
const active = new Set();
/** @type {NodeJS.Timeout | undefined} */
let timer;
/** Live lines on the screen now, below the last lasting one. */
let drawn = 0;

const time = (/** @type {number} */ since) => {
  const seconds = Math.round((performance.now() - since) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};
const line = (/** @type {Step} */ { title, detail, since }) =>
  `  ${title}${detail ? `: ${detail}` : ''} (${time(since)})`;

/** @param {string} text lasting lines, above the live ones */
function draw(text) {
  if (!live) {
    if (text !== '') process.stderr.write(text);
    return;
  }
  const width = (process.stderr.columns ?? 80) - 1;
  const lines = [...active].map(line).map((one) => (one.length > width ? `${one.slice(0, width - 1)}…` : one));
  const up = drawn > 0 ? `\x1b[${drawn}A` : '';
  process.stderr.write(`${up}\r\x1b[J${text}${lines.map((one) => `${one}\n`).join('')}`);
  drawn = lines.length;
}

/** @param {string} text */
export function say(text) {
  draw(`${text}\n`);
}

/**
 * Runs a step that has work to do.
 * @template T
 * @param {string} title
 * @param {(detail: (text: string) => void) => Promise<T>} work
 * @param {{ everyDetail?: boolean }} [options] everyDetail: off a terminal, each new detail is a line
 * @returns {Promise<T>}
 */
export async function step(title, work, { everyDetail = false } = {}) {
  const current = { title, detail: '', since: performance.now() };
  active.add(current);
  draw(live ? '' : `  ${title} …\n`);
  timer ??= setInterval(() => {
    if (live) draw('');
    else for (const running of active) say(line(running));
  }, everyMs);
  let outcome = 'failed';
  try {
    const result = await work((text) => {
      if (everyDetail && !live && text !== current.detail) say(`  ${title}: ${text}`);
      current.detail = text;
    });
    outcome = 'done';
    return result;
  } finally {
    active.delete(current);
    if (active.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    say(`  ${title}: ${outcome} (${time(current.since)})`);
  }
}
