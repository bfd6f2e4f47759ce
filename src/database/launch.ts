import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENT, type Account } from '../system/account.ts';
import { openLifeline } from './lifeline.ts';
import { findStalePid } from './postmaster.ts';

/** What it takes to run the server of one cluster. */
export interface ClusterPlace {
  /** The folder with `cluster`, `lifeline`, `server.log` and the socket. */
  readonly home: string;
  readonly binDir: string;
  readonly account: Account | undefined;
  readonly password: string;
}

/** A started server: `writeEnd` is our end of the lifeline. */
export interface LaunchedServer {
  readonly writeEnd: number;
  /** Undefined while it runs, then what it wrote to its log since it was launched. */
  ended(): string | undefined;
}

/**
 * Keeps the server while the lifeline (fd 3) has a holder. The shell outlives a killed Node. It runs in a session of
 * its own, so that Ctrl-C in a terminal reaches the broker only, which needs the database until it has drained.
 * SIGINT makes Postgres disconnect everybody and shut down cleanly. A SIGTERM to the whole session group, as an
 * operating system sends it, is left to Postgres, which then waits for the broker to disconnect.
 */
const WATCH = `
trap '' HUP INT TERM
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ while read -r _; do :; done; kill -INT $server; } <&3 &
watch=$!
exec 3<&-
wait $server
code=$?
kill -KILL $watch 2>/dev/null
exit $code
`;

const LOG_LIMIT = 1_000_000;
const SOCKET_PATH_LIMIT = 100;

/** Starts the server of a cluster; `attempt` chooses among ports when others have them. */
export function launchServer(place: ClusterPlace, attempt: number): LaunchedServer {
  const log = openLog(place);
  const start = fs.fstatSync(log).size;
  const lifeline = openLifeline(join(place.home, 'lifeline'));
  const command = [
    join(place.binDir, 'postgres'),
    '-D',
    join(place.home, 'cluster'),
    ...settings(place, attempt),
  ];
  const child = spawn('/bin/sh', ['-c', WATCH, 'purveyor-postgres', ...command], {
    stdio: [lifeline.reader, log, log],
    detached: true,
    cwd: '/',
    env: { ...ENVIRONMENT, ...pidToIgnore(place) },
    uid: place.account?.uid,
    gid: place.account?.gid,
  });
  let last: string | undefined;
  const end = (): void => {
    if (last !== undefined) return;
    last = readTail(log, start);
    fs.closeSync(log);
  };
  child.once('exit', end).on('error', end).unref();
  fs.closeSync(lifeline.reader);
  return { writeEnd: lifeline.writeEnd, ended: () => last };
}

/** Lets Postgres ignore a process id that is left over; it still checks the shared memory for a living server. */
function pidToIgnore({ home }: ClusterPlace): Record<string, string> {
  const pid = findStalePid(join(home, 'cluster'));
  return pid ? { PG_GRANDPARENT_PID: String(pid) } : {};
}

function settings(place: ClusterPlace, attempt: number): string[] {
  const values = {
    ...listening(place.home, attempt),
    cluster_name: 'purveyor',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    shared_buffers: '48MB',
    max_wal_size: '256MB',
    max_connections: '500',
    // What the server itself has to say, but no failed statement: those reach the broker, and may hold secrets.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_destination: 'stderr',
    logging_collector: 'off',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** We come by a socket, where its path may be so long; applications that were given a database come by the port. */
function listening(home: string, attempt: number): Record<string, string> {
  const socket = Buffer.byteLength(join(home, '.s.PGSQL.65535')) <= SOCKET_PATH_LIMIT;
  return {
    listen_addresses: '127.0.0.1',
    port: String(choosePort(home, attempt)),
    unix_socket_directories: socket ? `"${home.replaceAll('"', '""')}"` : '',
  };
}

/** Between the well-known ports and those that nodes give away; the same for the same folder, if it can be. */
function choosePort(home: string, attempt: number): number {
  const hash = createHash('sha256').update(home).digest().readUInt32BE();
  return 10_000 + ((hash + attempt) % 10_000);
}

function openLog({ home, account }: ClusterPlace): number {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = fs.constants;
  const log = fs.openSync(join(home, 'server.log'), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  if (account) fs.fchownSync(log, account.uid, account.gid);
  if (fs.fstatSync(log).size > LOG_LIMIT) fs.ftruncateSync(log);
  return log;
}

function readTail(log: number, start: number): string {
  const tail = Buffer.alloc(2_000);
  const from = Math.max(start, fs.fstatSync(log).size - tail.length);
  return tail.toString('utf8', 0, fs.readSync(log, tail, 0, tail.length, from)).trim();
}
