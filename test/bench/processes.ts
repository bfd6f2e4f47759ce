import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { timeOf } from './rounds.ts';

interface PlanIds {
  readonly service_id: string;
  readonly plan_id: string;
}

const redis: PlanIds = {
  service_id: '0a3f7c52-5b0e-4d0b-9a6e-2f4f3f6c1d10',
  plan_id: '0a3f7c52-5b0e-4d0b-9a6e-2f4f3f6c1d11',
};
const firstPort = 26_000;
/** At what is being made, by whomever. */
const lookEveryMs = 10;

export function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

/** Milliseconds until so many bare servers, started at once, have all answered a PING. */
export async function measureBare(directory: string, count: number): Promise<number> {
  const servers: ChildProcess[] = [];
  const started = performance.now();
  try {
    await Promise.all(Array.from({ length: count }, (_, index) => startBare(directory, index, servers)));
    return performance.now() - started;
  } finally {
    await Promise.all(servers.map(endBare));
  }
}

async function startBare(directory: string, index: number, servers: ChildProcess[]): Promise<void> {
  const port = firstPort + index;
  const home = join(directory, `bare-${index}`);
  mkdirSync(home, { recursive: true });
  const file = join(home, 'redis.conf');
  writeFileSync(file, `bind 127.0.0.1\nport ${port}\ndir ${home}\nrequirepass secret\nsave ""\n`);
  servers.push(spawn('redis-server', [file], { stdio: 'ignore' }));
  while (!(await answersPing(port))) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}

export function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AUTH secret\r\nPING\r\n'));
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString();
      if (said.includes('+PONG')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(said.includes('+PONG')));
  });
}

async function endBare(server: ChildProcess): Promise<void> {
  const ended = once(server, 'exit');
  if (server.exitCode === null && server.kill()) await ended;
}

/** Milliseconds until so many instances, asked for at once, have all been made; then they are removed. */
export async function measureMade(port: number, login: string, count: number): Promise<number> {
  const ids = Array.from({ length: count }, (_, index) => `redis-${index}`);
  const ask = asking(port, login, redis);
  const started = performance.now();
  await Promise.all(ids.map((id) => ask('PUT', id)));
  const took = performance.now() - started;
  await Promise.all(ids.map((id) => ask('DELETE', id)));
  return took;
}

/** Milliseconds from the request of an instance until it is there; then it is removed. */
export function timeToMake(ask: ReturnType<typeof asking>): (round: number) => Promise<number> {
  return async function madeIn(round) {
    const id = `bench-${round}`;
    const took = await timeOf(() => ask('PUT', id));
    await ask('DELETE', id);
    return took;
  };
}

/** Asks, and looks until it is done, as often as bare programs are looked at. */
export function asking(port: number, login: string, plan: PlanIds) {
  const headers = {
    authorization: `Basic ${Buffer.from(login).toString('base64')}`,
    'x-broker-api-version': '2.17',
    'content-type': 'application/json',
  };
  return async function ask(method: 'PUT' | 'DELETE', id: string): Promise<void> {
    const url = `http://127.0.0.1:${port}/v2/service_instances/${id}`;
    const query = `?accepts_incomplete=true&service_id=${plan.service_id}&plan_id=${plan.plan_id}`;
    const { status } = await fetch(url + query, {
      method,
      headers,
      body:
        method === 'PUT' ? JSON.stringify({ ...plan, organization_guid: 'o', space_guid: 's' }) : undefined,
    });
    if (status === 200 || status === 201) return;
    if (status !== 202) throw new Error(`${method} ${id}: ${status}`);
    for (;;) {
      const polled = await fetch(`${url}/last_operation`, { headers });
      if (polled.status === 410) return;
      const { state } = (await polled.json()) as { state: string };
      if (state === 'succeeded') return;
      if (state === 'failed') throw new Error(`${method} ${id} failed`);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  };
}
