// What the tests of the embedded database share: it starts them, watches their processes, and cleans up.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { startEmbedded, type Embedded, type EmbeddedOptions } from '../../src/database/embedded.ts';
import { findPackage } from '../../src/database/package.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** A folder that every user can enter; `removeRoot` removes it. */
export const root = scratchDirectory('embedded');
fs.chmodSync(root, 0o755);

/** What was noted since the test began. */
export const notes: string[] = [];
/** Ended after the test. */
export const children: ChildProcess[] = [];
const started: Embedded[] = [];

export async function endAll(): Promise<void> {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const embedded of started.splice(0)) await embedded.stop();
  notes.length = 0;
}

/** Removes the folder when the last server in it, whose broker a test has killed, is down. */
export async function removeRoot(): Promise<void> {
  await until('no process of the servers is left', () => processesWith(root).length === 0);
}

export async function start(dataDir: string, more: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir, note: (message) => notes.push(message), ...more });
  started.push(embedded);
  return embedded;
}

export async function spawnBroker(dataDir: string): Promise<{ broker: ChildProcess; url: string }> {
  const script = join(import.meta.dirname, 'embedded-holder.ts');
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const broker = spawn(process.execPath, [script, dataDir], { stdio: [...stdio], detached: true });
  children.push(broker);
  const [url] = (await once(createInterface(broker.stdout!), 'line')) as [string];
  return { broker, url };
}

export async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client(url);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

export function clusterOf(dataDir: string): string {
  return join(dataDir, 'postgres', 'cluster');
}

/** The npm package as it is without its install script. */
export function copyPackage(to: string): string {
  fs.cpSync(findPackage()!, to, { recursive: true, filter: (path) => !fs.lstatSync(path).isSymbolicLink() });
  return to;
}

export function processesWith(argument: string): number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => readProcess(`${pid}/cmdline`).includes(argument)).map(Number);
}

export function parentOf(pid: number): number {
  return Number(/^PPid:\s(\d+)/m.exec(readProcess(`${pid}/status`))?.[1]);
}

export function childrenOf(pid: number): number[] {
  return readProcess(`${pid}/task/${pid}/children`).trim().split(' ').map(Number);
}

function readProcess(path: string): string {
  try {
    return fs.readFileSync(join('/proc', path), 'utf8');
  } catch {
    return '';
  }
}
