import { staleAfter, type NodeProfile } from '../../src/broker/nodes.ts';
import { startHeartbeat, type HeartbeatParts } from '../../src/program/loops/heartbeat.ts';
import { memoryDatabase } from '../../src/stores/memory/index.ts';

const profile: NodeProfile = {
  name: 'n1',
  host: '127.0.0.1',
  url: 'http://127.0.0.1:1',
  directory: '/n1',
  ports: { first: 2000, last: 2009 },
  capacity: 10,
  executables: [],
  isolation: 'none',
  allowsUnisolated: true,
};

let offset = 0;
const { nodes } = memoryDatabase(() => new Date(Date.now() + offset));
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  offset += staleAfter + 1;
  await nodes.forget('n1');
});

async function heart(holder: string, machine: string, rest: Partial<HeartbeatParts> = {}) {
  const heartbeat = await startHeartbeat({
    nodes,
    profile: () => profile,
    holder,
    machine,
    onTrouble: () => undefined,
    onLost: () => undefined,
    signal: new AbortController().signal,
    ...rest,
  });
  stops.push(() => heartbeat.stop());
  return heartbeat;
}

test('From the start on the node is there, and what has changed is told at the next beat', async () => {
  let executables = ['sh'];
  const heartbeat = await heart('h1', 'm1', { profile: () => ({ ...profile, executables }) });
  expect(await nodes.list()).toMatchObject([{ name: 'n1', stale: false, executables: ['sh'] }]);
  executables = ['sh', 'ls'];
  await heartbeat.beat();
  expect(await nodes.list()).toMatchObject([{ executables: ['sh', 'ls'] }]);
});

test('A broker of the same place takes over at once', async () => {
  await nodes.beat(profile, 'dead', 'm1');
  await heart('h1', 'm1');
  expect(await nodes.list()).toMatchObject([{ name: 'n1' }]);
});

test('A broker of another place is refused as soon as the other is heard of again', async () => {
  await nodes.beat(profile, 'other', 'm2');
  const refused = heart('h1', 'm1');
  const again = setInterval(() => void nodes.beat(profile, 'other', 'm2'), 100);
  try {
    await expect(refused).rejects.toThrow(
      "Another broker is the node 'n1'. Set NODE_NAME to a name of its own for this one, or NODE_ROLE to false.",
    );
  } finally {
    clearInterval(again);
  }
});

test('The name of a broker that died elsewhere is taken when it has been silent for long enough', async () => {
  await nodes.beat(profile, 'dead', 'm2');
  const taken = heart('h1', 'm1');
  offset += staleAfter + 1;
  await taken;
  expect(await nodes.list()).toMatchObject([{ stale: false }]);
});

test('The waiting for the name can be ended', async () => {
  await nodes.beat(profile, 'dead', 'm2');
  const giveUp = new AbortController();
  const waiting = heart('h1', 'm1', { signal: giveUp.signal });
  giveUp.abort();
  await expect(waiting).rejects.toThrow(/abort/);
});

test('A broker whose name was taken while it slept is told so once, and takes nothing back', async () => {
  const lost: string[] = [];
  const heartbeat = await heart('h1', 'm1', { onLost: () => void lost.push('n1') });
  offset += staleAfter + 1;
  await nodes.beat({ ...profile, directory: '/other' }, 'other', 'm2');
  await heartbeat.beat();
  offset += staleAfter + 1;
  await heartbeat.beat();
  expect(lost).toEqual(['n1']);
  expect(await nodes.list()).toMatchObject([{ directory: '/other' }]);
});

test('A beat that nobody could be told of is told again soon', async () => {
  const begun = performance.now();
  const { promise: isBack, resolve } = Promise.withResolvers<void>();
  let troubles = 0;
  let beats = 0;
  await heart('h1', 'm1', {
    every: 5000,
    nodes: {
      ...nodes,
      async beat(...told) {
        beats += 1;
        if (beats > 1 && beats < 5) throw new Error('The database is away');
        if (beats === 5) resolve();
        return nodes.beat(...told);
      },
    },
    onTrouble: () => void (troubles += 1),
  });
  await isBack;
  expect(troubles).toBe(3);
  expect(performance.now() - begun).toBeLessThan(19_000);
});

test('When a broker stops, the node is gone at once, and one of another place takes over without waiting', async () => {
  const heartbeat = await heart('h1', 'm1');
  await heartbeat.stop();
  expect(await nodes.list()).toMatchObject([{ name: 'n1', stale: true }]);
  await heart('h2', 'm2');
  expect(await nodes.list()).toMatchObject([{ name: 'n1', stale: false }]);
});

test('A stop that nobody can be told of is reported, and is not hindered', async () => {
  const troubles: unknown[] = [];
  const leave = () => Promise.reject(new Error('The database is away'));
  const heartbeat = await heart('h1', 'm1', {
    nodes: { ...nodes, leave },
    onTrouble: (error) => void troubles.push(error),
  });
  await heartbeat.stop();
  expect(troubles).toEqual([new Error('The database is away')]);
});
