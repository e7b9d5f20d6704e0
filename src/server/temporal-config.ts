/**
 * The configuration files of the embedded Temporal server and its Web UI, as plain objects: JSON is YAML, so no YAML
 * writer is needed. A server on PostgreSQL has `deploy/temporal/server.yaml`, which differs in `persistence` only.
 */

export interface TemporalPorts {
  readonly frontend: number;
  readonly frontendHttp: number;
  readonly frontendMembership: number;
  readonly history: number;
  readonly historyMembership: number;
  readonly matching: number;
  readonly matchingMembership: number;
  readonly worker: number;
  readonly workerMembership: number;
}

export interface SqliteStore {
  readonly file: string;
  /** normal: one fsync per checkpoint, survives a kill of every process. full: one per commit, also a power cut. */
  readonly sync: 'normal' | 'full';
}

export interface TemporalConfigOptions {
  readonly ports: TemporalPorts;
  /** Address that the services bind to and tell each other. */
  readonly host: string;
  readonly store: SqliteStore;
  readonly dynamicConfigFile: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** host:port of the Prometheus metrics; null: none are kept. */
  readonly metricsAddress: string | null;
}

export function temporalConfig(options: TemporalConfigOptions): Record<string, unknown> {
  const { ports, host } = options;
  const service = (grpcPort: number, membershipPort: number) => ({
    rpc: { grpcPort, membershipPort, bindOnIP: host },
  });
  return {
    log: { stdout: true, level: options.logLevel, format: 'json' },
    persistence: persistence(options.store),
    global: {
      // Members that are gone are waited for when joining: with one machine there is nobody to wait for.
      membership: { maxJoinDuration: '10s', broadcastAddress: host },
      ...(options.metricsAddress === null
        ? {}
        : { metrics: { prometheus: { timerType: 'histogram', listenAddress: options.metricsAddress } } }),
    },
    services: {
      frontend: {
        rpc: {
          grpcPort: ports.frontend,
          httpPort: ports.frontendHttp,
          membershipPort: ports.frontendMembership,
          bindOnIP: host,
        },
      },
      history: service(ports.history, ports.historyMembership),
      matching: service(ports.matching, ports.matchingMembership),
      worker: service(ports.worker, ports.workerMembership),
    },
    publicClient: { hostPort: `${host}:${ports.frontend}` },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `${host}:${ports.frontend}`,
          httpAddress: `${host}:${ports.frontendHttp}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    archival: {
      history: { state: 'disabled', enableRead: false },
      visibility: { state: 'disabled', enableRead: false },
    },
    namespaceDefaults: {
      archival: { history: { state: 'disabled' }, visibility: { state: 'disabled' } },
    },
    dynamicConfigClient: { filepath: options.dynamicConfigFile, pollInterval: '60s' },
  };
}

function persistence(store: SqliteStore): Record<string, unknown> {
  const sql = {
    sql: {
      pluginName: 'sqlite',
      databaseName: store.file,
      connectAddr: 'localhost',
      connectProtocol: 'tcp',
      connectAttributes: {
        cache: 'private',
        setup: 'true',
        journal_mode: 'wal',
        synchronous: store.sync === 'full' ? '2' : '1',
        busy_timeout: '10000',
        // KiB, negative as SQLite wants it: 2 MB by default, less than the list of runs soon has.
        cache_size: '-65536',
        temp_store: 'memory',
        // Pages of 4 KiB until the log is copied into the database, with an fsync.
        wal_autocheckpoint: '4000',
      },
      // More would wait for SQLite's one writer in a busy loop: four halve the throughput.
      maxConns: 1,
      maxIdleConns: 1,
    },
  };
  // Both stores in one file and so over one connection: a second file was not faster.
  return {
    defaultStore: 'default',
    visibilityStore: 'visibility',
    numHistoryShards: 1,
    datastores: { default: sql, visibility: sql },
  };
}

export interface UiConfigOptions {
  readonly temporalAddress: string;
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  /** Address of the codec endpoint of the API; null: nobody serves one. */
  readonly codecEndpoint: string | null;
}

export function uiConfig(options: UiConfigOptions): Record<string, unknown> {
  return {
    temporalGrpcAddress: options.temporalAddress,
    host: options.host,
    port: options.port,
    enableUi: true,
    defaultNamespace: options.namespace,
    showTemporalSystemNamespace: false,
    // The Web UI would ask the internet for news and versions.
    disableNewsFetch: true,
    notifyOnNewVersion: false,
    // Asked where nobody answers, it would show an error on every page.
    ...(options.codecEndpoint === null ? {} : { codec: { endpoint: options.codecEndpoint } }),
    cors: { allowOrigins: [`http://${options.host}:${options.port}`] },
    hideLogs: true,
  };
}
