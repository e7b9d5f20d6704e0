import { searchAttributes } from '../engine/search-attributes.js';
import { loadDynamicConfig } from './dynamic-config.js';

export interface CliOptions {
  readonly host: string;
  readonly port: number;
  readonly uiPort: number | null;
  readonly dbFile: string;
  readonly namespace: string;
  readonly sync?: 'normal' | 'full';
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error';
  readonly dynamicConfig?: string;
  readonly codecEndpoint?: string | null;
}

/** Arguments of Temporal's command-line program for the same server that our own configuration makes. */
export function cliArguments(options: CliOptions): string[] {
  return [
    'server',
    'start-dev',
    '--ip',
    options.host,
    '--port',
    String(options.port),
    ...(options.uiPort === null ? ['--headless'] : ['--ui-port', String(options.uiPort)]),
    ...(options.codecEndpoint == null ? [] : ['--ui-codec-endpoint', options.codecEndpoint]),
    '--db-filename',
    options.dbFile,
    '--namespace',
    options.namespace,
    '--sqlite-pragma',
    'journal_mode=wal',
    '--sqlite-pragma',
    `synchronous=${options.sync === 'full' ? 2 : 1}`,
    '--log-format',
    'json',
    '--log-level',
    options.logLevel ?? 'warn',
    ...Object.keys(searchAttributes).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ...[...loadDynamicConfig(options.dynamicConfig)].flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${value}`,
    ]),
  ];
}
