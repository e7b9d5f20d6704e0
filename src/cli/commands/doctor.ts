import { isLocal } from '../connection.js';
import type { Commands } from '../context.js';
import type { Finding } from '../doctor.js';
import { table } from '../output.js';

export function doctorCommand(commands: Commands): void {
  commands.add(
    'doctor',
    'look for what is missing, and say what to do',
    (command) => command,
    async (context) => {
      const { out, connection, client, shell } = context;
      // Only this command needs the settings of the server, and what reads them.
      const { checkMachine, checkNode, checkServer } = await import('../doctor.js');
      const server = await checkServer(client, connection);
      const findings: Finding[] = [checkNode(process.versions.node)];
      // Elsewhere the machine that matters is not this one.
      if (isLocal(connection.url)) {
        const { loadSettings } = await import('../../config/settings.js');
        try {
          const settings = loadSettings(shell.env, shell.cwd);
          findings.push(...(await checkMachine(settings, connection.url, server[0]?.state === 'ok')));
        } catch (error) {
          findings.push({ check: 'settings', state: 'bad', detail: (error as Error).message, fix: 'correct them' });
        }
      }
      findings.push(...server);
      const bad = findings.some(({ state }) => state === 'bad');
      out.tell({ healthy: !bad, findings }, text(findings, out.paint.bind(out)));
      return bad ? 1 : 0;
    },
  );
}

function text(
  findings: readonly Finding[],
  paint: (colour: 'green' | 'yellow' | 'red', text: string) => string,
): string {
  const marks = { ok: paint('green', 'ok'), warn: paint('yellow', 'warn'), bad: paint('red', 'BAD') };
  const rows = findings.flatMap(({ check, state, detail, fix }) => [
    ...detail.split('\n').map((line, at) => (at === 0 ? [marks[state], check, line] : ['', '', line])),
    ...(fix === undefined ? [] : [['', '', `→ ${fix}`]]),
  ]);
  return table(['', '', ''], rows).trimStart();
}
