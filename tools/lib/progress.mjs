// @ts-check
/**
 * What set-up shows while it works: one line a step when it ends, and in between one live line on a terminal, or a line
 * every 20 seconds where nobody watches. A step that finds everything done shows nothing.
 */

const live = process.stderr.isTTY === true;
/** @type {Set<{title: string, detail: string, since: number}>} */
const active = new Set();
/** @type {NodeJS.Timeout | undefined} */
let timer;

const seconds = (/** @type {number} */ since) => Math.round((performance.now() - since) / 1000);
const time = (/** @type {number} */ s) => (s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`);
const line = (/** @type {{title: string, detail: string, since: number}} */ step) =>
  `${step.title}${step.detail ? `: ${step.detail}` : ''} (${time(seconds(step.since))})`;

function clear() {
  if (live) process.stderr.write('\r\x1b[2K');
}

function draw() {
  if (!live || active.size === 0) return;
  const text = [...active].map(line).join(' | ');
  const width = (process.stderr.columns ?? 80) - 4;
  clear();
  process.stderr.write(`  ${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
}

/** @param {string} text */
export function say(text) {
  clear();
  process.stderr.write(`${text}\n`);
  draw();
}

/**
 * Runs a step that has work to do.
 * @template T
 * @param {string} title
 * @param {(detail: (text: string) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const current = { title, detail: '', since: performance.now() };
  active.add(current);
  if (!live) say(`  ${title} …`);
  draw();
  timer ??= setInterval(
    () => {
      if (live) draw();
      else for (const running of active) say(`    ${line(running)}`);
    },
    live ? 500 : 20_000,
  );
  try {
    const result = await work((text) => {
      current.detail = text;
    });
    active.delete(current);
    say(`  ${title}: done (${time(seconds(current.since))})`);
    return result;
  } catch (error) {
    active.delete(current);
    say(`  ${title}: failed (${time(seconds(current.since))})`);
    throw error;
  } finally {
    if (active.size === 0) {
      clearInterval(timer);
      timer = undefined;
      clear();
    }
  }
}
