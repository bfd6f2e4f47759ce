import type { JsonObject } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { seenAfter } from '../../../src/provisioners/kubernetes/shortfall.ts';
import { plainText } from '../../../src/provisioners/kubernetes/objects/plain-text.ts';
import { brokerOf, carry, workOf } from './carry.ts';
import { aMemoryCluster, type MemoryCluster } from './memory-cluster.ts';
import { redisConfig, withObjects } from './offerings.ts';

/** A broker dies at any moment; another one goes on from what was recorded. */

const config = withObjects({
  last: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'last' }, after: ['redis'] },
});
const changed = withObjects({
  conf: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'redis-conf' },
    data: { 'redis.conf': 'x' },
  },
  last: undefined,
  more: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'more' } },
});

const namesIn = (memory: MemoryCluster) =>
  memory
    .objects()
    .map(({ kind, metadata: { name } }) => `${kind} ${plainText(name)}`)
    .toSorted();

/** What is there after a life that nothing has disturbed. */
async function undisturbed(next?: JsonObject) {
  const memory = aMemoryCluster();
  const { made } = await carry(brokerOf(memory), 'provision', workOf({ config }));
  if (next) await carry(brokerOf(memory), 'update', workOf({ config: next, facts: made.facts ?? {} }));
  return namesIn(memory);
}

test('Whichever step of a provision is not recorded, the next broker makes the same and nothing twice.', async () => {
  const wanted = await undisturbed();
  for (let lost = 1; lost <= 14; lost += 1) {
    const memory = aMemoryCluster();
    const brokers = [brokerOf(memory), brokerOf(memory)] as const;
    let isLost = false;
    const { made } = await carry(
      lost % 2 === 0 ? brokers[0] : brokers[1],
      'provision',
      workOf({ config }),
      (_, count) => {
        if (count !== lost || isLost) return true;
        isLost = true;
        return false;
      },
    );
    expect(namesIn(memory)).toEqual(wanted);
    await carry(brokers[1], 'deprovision', workOf({ config, facts: made.facts ?? {} }));
    expect(namesIn(memory)).toEqual([]);
  }
});

/** Requests to the cluster, one after another, until the broker dies before that one. */
async function killedBefore(
  memory: MemoryCluster,
  request: number,
  deed: 'provision' | 'update',
  work: Work,
) {
  let count = 0;
  let memo: Work['memo'];
  memory.before = () => {
    count += 1;
    if (count >= request) throw new Error('killed');
  };
  const made = await carry(brokerOf(memory), deed, work, (reached) => {
    memo = reached;
  }).catch((error: unknown) => {
    if (String(error) !== 'Error: killed') throw error;
  });
  memory.before = () => undefined;
  return { made, memo };
}

test('A broker that dies between any two requests of a provision leaves what another one can finish, or take away.', async () => {
  const wanted = await undisturbed();
  for (let request = 1; ; request += 1) {
    const memory = aMemoryCluster();
    const work = workOf({ config });
    const { made, memo } = await killedBefore(memory, request, 'provision', work);
    if (made) break;
    if (request % 2 === 0) {
      await carry(brokerOf(memory), 'provision', { ...work, memo });
      expect(namesIn(memory)).toEqual(wanted);
    } else {
      await carry(brokerOf(memory), 'deprovision', { ...work, trace: memo });
      expect(namesIn(memory)).toEqual([]);
    }
  }
});

test('A broker that dies between any two requests of an update leaves what another one can finish.', async () => {
  const wanted = await undisturbed(changed);
  for (let request = 1; ; request += 2) {
    const memory = aMemoryCluster();
    const { made: before } = await carry(brokerOf(memory), 'provision', workOf({ config }));
    const work = workOf({ config: changed, facts: before.facts ?? {} });
    const { made, memo } = await killedBefore(memory, request, 'update', work);
    if (made) break;
    await carry(brokerOf(memory), 'update', { ...work, memo });
    expect(namesIn(memory)).toEqual(wanted);
    expect(memory.find('ConfigMap', 'redis-conf')).toMatchObject({ data: { 'redis.conf': 'x' } });
  }
});

test('What an update has begun to make goes with the instance, although no fact tells of it.', async () => {
  const memory = aMemoryCluster();
  const { made } = await carry(brokerOf(memory), 'provision', workOf({ config: redisConfig }));
  const facts = made.facts ?? {};
  const policy = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'new' } };
  const work = workOf({ config: withObjects({ policy }), facts });
  await killedBefore(memory, 20, 'update', work);
  await carry(brokerOf(memory), 'deprovision', workOf({ config: redisConfig, facts }));
  expect(namesIn(memory)).toEqual([]);
});

test('A kind that an API server does not know yet when it has just started is looked for again, and nothing fails.', async () => {
  const memory = aMemoryCluster();
  memory.unserved.add('StatefulSet');
  const { made } = await carry(brokerOf(memory), 'provision', workOf({ config }), (_memo, count) => {
    if (count === 2) memory.unserved.clear();
  });
  expect(Object.keys(made.facts?.['objects'] ?? {})).toContain('redis');
});

test('A plan of which nothing was missing is hidden when something is missing twice, and one of which nobody knows at once.', () => {
  const [good, lacking] = [undefined, 'the cluster lacks something'];
  const told = (...seen: readonly (string | undefined)[]) =>
    seen.reduce<ReturnType<typeof seenAfter>>((look, found) => seenAfter(look, found), {}).clause;
  expect(told(lacking)).toBe(lacking);
  expect(told(good, lacking)).toBeUndefined();
  expect(told(good, lacking, lacking)).toBe(lacking);
  expect(told(good, lacking, lacking, good)).toBeUndefined();
  expect(told(good, lacking, good, lacking)).toBeUndefined();
});
