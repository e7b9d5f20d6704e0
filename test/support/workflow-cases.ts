import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFile } from '../../src/workflow-files/bundle.js';

/** A workflow file that does, by its input, what such files can do. Histories of its runs are recorded: see `test/replay`. */
const source = `
import { chain, chord, condition, defineSignal, graph, group, isCancellation, isTaskFailure, run, setHandler, sleep, task }
  from 'pixyz-temporal-scheduler/workflow';

interface Given { readonly what: string; readonly queue: string }

export default async function cases({ what, queue }: Given): Promise<unknown> {
  const of = (id: string, more: object = {}) => ({ id, process: 'anything', queue, ...more });
  switch (what) {
    case 'helpers': {
      const inChain = chain(of('a'), of('b'), (b) => of('c', { params: { got: b.handedOn(), word: 'x' } }));
      const inChord = chord([of('d'), of('e')], of('f'));
      const byName = graph({ g: { process: 'anything', queue }, h: { process: 'anything', queue, after: ['g'] } });
      const all = group([inChain, inChord, of('i')]);
      const { id, workflow } = run();
      return { all: await all, names: Object.keys(await byName), id, workflow };
    }
    case 'loop': {
      let sum = 0;
      for (let round = 1; sum < 6; round++) sum += (await task<number>(of('round-' + round)));
      return sum;
    }
    case 'caught': {
      const broken = task(of('broken'));
      const after = task(of('after', { after: broken }));
      try { await broken; } catch (error) {
        return { facts: isTaskFailure(error), after: (await after.settled()).state };
      }
    }
    case 'unheeded': {
      task(of('broken'));
      await sleep(5);
      return 'not looked';
    }
    case 'passed on': {
      const last = task(of('last', { after: task(of('middle', { after: task(of('broken')) })) }));
      return (await last.settled()).state;
    }
    case 'throws': {
      void task(of('slow'));
      await task(of('first'));
      throw new RangeError('out of range');
    }
    case 'waits': {
      let word: string | null = null;
      setHandler(defineSignal<[string]>('word'), (given) => { word = given; });
      try { await condition(() => word !== null); } catch (error) {
        return isCancellation(error) ? 'cancelled' : error;
      }
      return [word, await task(of('last'))];
    }
    case 'waits for so long': {
      await task(of('first'));
      const inTime = await condition(() => true, '1 day');
      return [inTime, await task(of('last'))];
    }
    case 'runs': return await task(of('slow'));
    case 'cancels': {
      const slow = task(of('slow'));
      const never = task(of('never', { after: slow }));
      await task(of('quick'));
      slow.cancel('no longer needed');
      return [await slow.settled(), (await never.settled()).state];
    }
    case 'result in a circle': {
      const circle: Record<string, unknown> = {};
      circle['self'] = circle;
      return circle;
    }
    case 'result is a function': return () => what;
    case 'params with a bigint': return await task(of('big', { params: { size: 10n } }));
    case 'one id twice': {
      await task(of('render'));
      return await task(of('render'));
    }
    case 'wrong': return await task({ id: 'wrong', process: 'nothing', queue: 'not a queue' });
    default: throw new Error(what);
  }
}`;

/** @returns the bundle of the file, which is written into a folder of that one. */
export async function bundleCases(folder: string): Promise<string> {
  const files = join(folder, 'files');
  mkdirSync(files);
  writeFileSync(join(files, 'cases.ts'), source);
  const bundled = await bundleFile(files, 'cases', 'cases.ts', '');
  if (!bundled.ok) throw new Error(JSON.stringify(bundled.problems));
  return bundled.code;
}
