import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../system/error-code.ts';

/** Where the server of a cluster listens: a folder with its socket, or an address. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Reads from `postmaster.pid` where the server of this cluster listens; undefined when it does not, or not yet. */
export function findEndpoint(cluster: string): Endpoint | undefined {
  const [, , , port, folder, address] = readPidFile(cluster);
  // The server writes lines 5 and 6 after it has bound them. Nobody else can listen in its own folder; in another, or
  // on a port, there may be another program by now.
  if (folder !== dirname(cluster) && !findServer(cluster)) return undefined;
  const host = folder || address;
  return host ? { host, port: Number(port) } : undefined;
}

/** The process id of the server that runs on this cluster, as far as this machine can tell. */
export function findServer(cluster: string): number | undefined {
  const pid = readPid(cluster);
  return pid && isServer(pid, cluster) ? pid : undefined;
}

/**
 * The process id in a `postmaster.pid` that is left over. After kill -9, or in a restarted container, the number can
 * belong to a zombie or to any other program, which Postgres would take for a running server.
 */
export function findStalePid(cluster: string): number | undefined {
  const pid = readPid(cluster);
  return pid && !isServer(pid, cluster) ? pid : undefined;
}

function readPid(cluster: string): number | undefined {
  return Math.abs(Number(readPidFile(cluster)[0])) || undefined;
}

function readPidFile(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** Whether the process is the cluster's server: a server works in its cluster's folder, a zombie nowhere. */
export function isServer(pid: number, cluster: string): boolean {
  if (process.platform !== 'linux') return isServerAlive(pid);
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster);
  } catch {
    return false;
  }
}

/** Whether there is a process with this number, whoever's. */
export function isServerAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
