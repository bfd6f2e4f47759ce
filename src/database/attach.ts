import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { openClient } from '../postgres/connections.ts';
import { NAME } from './cluster.ts';
import { codeOf } from '../system/error-code.ts';
import { launchServer, type ClusterPlace } from './launch.ts';
import { openWriteEnd, isRead } from './lifeline.ts';
import { findEndpoint, type Endpoint } from './postmaster.ts';
import { until } from '../system/until.ts';

/** A server that runs, and runs on while we hold on to it. */
export interface Attachment {
  readonly endpoint: Endpoint;
  /** An idle connection that ends when the server does. */
  readonly watch: Client;
  /** Our end of the lifeline; undefined for a server that somebody started by hand. */
  readonly writeEnd: number | undefined;
  readonly joined: boolean;
}

export const WATCHER = 'purveyor watching the embedded database';

const PATIENCE_MS = 10_000;
// What passes by itself: a killed server's last processes, a server in shutdown, one that starts at this moment,
// a kill -9.
const PASSING = /lock file ".*" already exists|shared memory block|could not bind|^Killed$/im;

/** Joins the server that runs on the cluster, or launches it. */
export async function attach(place: ClusterPlace): Promise<Attachment> {
  const giveUp = performance.now() + PATIENCE_MS;
  for (let port = 0; ;) {
    const attachment = (await joinRunning(place)) ?? (await launchOwn(place, port));
    if (typeof attachment !== 'string') return attachment;
    if (!PASSING.test(attachment) || performance.now() > giveUp) throw new Error(failure(place, attachment));
    if (/could not bind/i.test(attachment)) port += 1;
    await sleep(50);
  }
}

/** Lets go: the server shuts down when nobody else holds it. */
export function detach({ writeEnd, watch }: Pick<Attachment, 'writeEnd'> & Partial<Attachment>): void {
  if (writeEnd !== undefined) closeSync(writeEnd);
  void watch?.end();
}

async function joinRunning(place: ClusterPlace): Promise<Attachment | undefined> {
  // First our end, then the connection: who is connected and still read then, has the server for good.
  const lifeline = join(place.home, 'lifeline');
  let writeEnd = openWriteEnd(lifeline);
  const answer = await waitForAnswer(place, () => false).catch((error: unknown) => {
    detach({ writeEnd });
    throw error;
  });
  if (answer) writeEnd ??= openWriteEnd(lifeline);
  if (answer && (writeEnd === undefined || isRead(writeEnd))) return { ...answer, writeEnd, joined: true };
  detach({ writeEnd, ...answer });
  return undefined;
}

/** Returns the attachment, or the end of the server's log when it did not start. */
async function launchOwn(place: ClusterPlace, attempt: number): Promise<Attachment | string> {
  const launched = launchServer(place, attempt);
  const answer = await waitForAnswer(place, () => launched.ended() === undefined).catch((error: unknown) => {
    detach(launched);
    throw error;
  });
  if (answer) return { ...answer, writeEnd: launched.writeEnd, joined: false };
  detach(launched);
  return launched.ended() ?? '';
}

type Answer = Pick<Attachment, 'endpoint' | 'watch'>;

/** Waits for the server as long as it says that it is starting or stopping, or `expected` says that it will come. */
async function waitForAnswer(place: ClusterPlace, expected: () => boolean): Promise<Answer | undefined> {
  // A server in recovery writes a line to its log for each time it is asked.
  const found = await until(
    async () => {
      const hope = expected();
      const endpoint = findEndpoint(join(place.home, 'cluster'));
      const watch = endpoint && (await connect(urlOf(endpoint, place.password, 'postgres')));
      if (endpoint && watch instanceof Client) return { endpoint, watch };
      return !hope && watch !== 'busy' && 'nobody';
    },
    { first: 4, longest: 250, factor: 1.2 },
  );
  return found === 'nobody' ? undefined : found;
}

async function connect(connectionString: string): Promise<Client | 'busy' | 'absent'> {
  // An idle connection that breaks tells 'error' and then 'end', which is what we listen to.
  const client = openClient({ connectionString, application_name: WATCHER, keepAlive: true });
  try {
    await client.connect();
    return client;
  } catch (error) {
    if (codeOf(error) === '57P03') return 'busy';
    if (isGone(error)) return 'absent';
    throw error;
  }
}

function isGone(error: unknown): boolean {
  // The last two: the server took the connection, and its shutdown came first.
  const codes = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02'];
  return codes.includes(codeOf(error)) || /connection terminated/i.test(String(error));
}

/** The address of a database there, for `pg` and for psql. */
export function urlOf({ host, port }: Endpoint, password: string, database: string): string {
  const query = `host=${encodeURIComponent(host)}&port=${port}&sslmode=disable`;
  return `postgres://${NAME}:${encodeURIComponent(password)}@/${database}?${query}`;
}

function failure({ home }: ClusterPlace, log: string): string {
  return `The embedded database did not start. The end of its log, ${join(home, 'server.log')}:\n${log}`;
}
