import { loadSettings } from '../config/settings.js';
import { connectWhenReady, prepareNamespace } from './prepare-namespace.js';

/**
 * Makes the namespace and its search attributes on the server of TEMPORAL_ADDRESS, then ends: once before API and workers,
 * where they are started without `npm start` (containers, systemd). It changes nothing where all is there.
 */

const serverWaitMs = 120_000;

async function main(): Promise<void> {
  const { TEMPORAL_ADDRESS, TEMPORAL_PORT, TEMPORAL_NAMESPACE } = loadSettings(process.env, process.cwd());
  const address = TEMPORAL_ADDRESS ?? `127.0.0.1:${TEMPORAL_PORT}`;
  const connection = await connectWhenReady(address, serverWaitMs);
  try {
    await prepareNamespace(connection, TEMPORAL_NAMESPACE);
  } finally {
    await connection.close();
  }
  process.stdout.write(`the namespace ${TEMPORAL_NAMESPACE} of ${address} is ready\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(
      `the namespace cannot be prepared: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exit(1);
  },
);
