import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { attach, detach, WATCHER, type Attachment } from './attach.ts';
import type { ClusterPlace } from './launch.ts';
import { findServer, isServer } from './postmaster.ts';
import { until } from '../system/until.ts';

const RETRY_MS = 1_000;
const STOP_PATIENCE_MS = 15_000;

/** Stays attached to the server, starting it again when it dies, until `stop`. */
export function superviseAttached(
  place: ClusterPlace,
  first: Attachment,
  note: (message: string) => void,
): { stop: () => Promise<void> } {
  let current: Attachment | undefined;
  let stopping: Promise<void> | undefined;
  let revival = Promise.resolve();

  function follow(attachment: Attachment): void {
    current = attachment;
    attachment.watch.once('end', () => {
      if (!stopping) revival = revive(attachment);
    });
  }

  async function revive(lost: Attachment): Promise<void> {
    current = undefined;
    note('The connection to the embedded database is lost: connecting again, or starting it again.');
    for (let failures = 0; !stopping && !current; failures += 1) {
      if (failures > 0) await sleep(RETRY_MS);
      await attach(place).then(follow, (error: Error) => failures > 0 || note(error.message));
    }
    // Only now: where the server itself is well, letting go of it would have shut it down.
    detach(lost);
    if (current) note(moved(lost, current) ?? 'The embedded database is there again.');
  }

  async function stop(): Promise<void> {
    await revival;
    if (current) await leave(place, current, note);
  }

  follow(first);
  return { stop: () => (stopping ??= stop()) };
}

async function leave(
  place: ClusterPlace,
  attachment: Attachment,
  note: (message: string) => void,
): Promise<void> {
  const cluster = join(place.home, 'cluster');
  const server = findServer(cluster);
  const others = await countOthers(attachment.watch);
  await attachment.watch.end();
  detach(attachment);
  if (others > 0) note('Another process uses the embedded database: it stays up for that one.');
  else if (server && attachment.writeEnd !== undefined) await untilDown(server, cluster, note);
}

async function countOthers(watch: Client): Promise<number> {
  const query = 'select from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()';
  // A server that does not answer has gone down, and the others with it.
  return watch.query(query, [WATCHER]).then(
    ({ rowCount }) => rowCount ?? 0,
    () => 0,
  );
}

async function untilDown(server: number, cluster: string, note: (message: string) => void): Promise<void> {
  const isDown = () => !isServer(server, cluster);
  if (!(await until(isDown, { first: 10, longest: 10, limit: STOP_PATIENCE_MS })))
    note(`The embedded database (process ${server}) is still shutting down.`);
}

function moved({ endpoint: old }: Attachment, { endpoint: now }: Attachment): string | undefined {
  if (old.host === now.host && old.port === now.port) return undefined;
  return `The embedded database is there again, but at ${now.host}:${now.port}: restart this process.`;
}
