// More is asked for at once than there is: of capacity, of instances, of ports.
import { join } from 'node:path';
import { findExecutable } from '../../../src/system/executables.ts';
import { keyIn } from '../../support/instance-key.ts';
import type { Answer } from '../broker-process.ts';
import { light } from './offerings.ts';
import { openOneNode, processesOf, type Bought, type Maker, type OneNode } from './one-node.ts';

const program = 'redis-server';
const isThere = findExecutable(process.env['PATH'] ?? '', program) !== undefined;
const describeMany = isThere ? describe : describe.skip;

describeMany(`Many at once${isThere ? '' : ` (skipped: there is no ${program})`}`, () => {
  const of: Bought = { offering: 'light', plan: 'small' };
  const few: Bought = { offering: 'few', plan: 'small' };
  let oneNode: OneNode;
  let broker: Maker;
  beforeAll(async () => {
    oneNode = await openOneNode([light('light'), light('few', { max_instances: 2 })]);
    broker = await oneNode.start({ NODE_CAPACITY: '3', NODE_PORTS: '21300-21399' });
  });
  afterAll(() => oneNode.close());

  function many(count: number, name: string): readonly string[] {
    return Array.from({ length: count }, (_, n) => `${name}-${n}-${process.pid}`);
  }
  function make(ids: readonly string[], bought = of): Promise<readonly Answer[]> {
    return Promise.all(ids.map((id) => broker.provision(id, bought)));
  }
  /** Of each its status, or why it failed. */
  async function remove(ids: readonly string[], bought = of): Promise<readonly unknown[]> {
    const answers = await Promise.all(ids.map((id) => broker.deprovision(id, bought)));
    return answers.map(({ status, body }) => (status < 500 ? status : body['description']));
  }
  /** The ids by the status of their answers. */
  function sorted(ids: readonly string[], answers: readonly Answer[]): Record<number, readonly string[]> {
    return Object.groupBy(ids, (_, n) => answers[n]?.status ?? 0) as Record<number, readonly string[]>;
  }
  function sentences(answers: readonly Answer[]): readonly unknown[] {
    const failed = answers.filter(({ status }) => status !== 201);
    return [...new Set(failed.map(({ body }) => body['description']))];
  }
  async function node(): Promise<object | undefined> {
    const { body } = await broker.operate('GET', '/nodes');
    return (body['nodes'] as readonly object[])[0];
  }
  async function portsOf(): Promise<readonly { id: string; port: number }[]> {
    const text = 'select i.id, port from node_ports p join service_instances i on i.key = p.instance_id';
    return (await oneNode.database.pool.query<{ id: string; port: number }>(text)).rows;
  }

  test('Of ten that ask for room for three, three get it, and nothing of it is lost when they go [S2].', async () => {
    for (const round of ['once', 'again']) {
      const ids = many(10, round);
      const answers = await make(ids);
      const { 201: made = [], 400: refused = [] } = sorted(ids, answers);
      expect([made.length, refused.length]).toEqual([3, 7]);
      expect(sentences(answers)).toEqual([expect.stringContaining('takes 1 of a node')]);
      expect(await node()).toMatchObject({ capacity: 3, used: 3, instances: 3 });
      expect(await remove(made)).toEqual([200, 200, 200]);
      expect(await remove(refused)).toEqual(refused.map(() => 410));
      expect(await node()).toMatchObject({ capacity: 3, used: 0, instances: 0 });
    }
  });

  test('Of an offering that may have two instances there is no third [A17].', async () => {
    const ids = many(3, 'few');
    const answers = await make(ids, few);
    const { 201: made = [], 400: refused = [] } = sorted(ids, answers);
    expect([made.length, refused.length]).toEqual([2, 1]);
    expect(sentences(answers)).toEqual([expect.stringMatching(/2/)]);
    // Who may have no more of it may still have others.
    expect((await broker.provision('other', of)).status).toBe(201);
    expect(await remove(['other'])).toEqual([200]);
    expect(await remove(made, few)).toEqual([200, 200]);
    expect((await make(refused, few)).map(({ status }) => status)).toEqual([201]);
    expect(await remove(refused, few)).toEqual([200]);
  });

  test('Of 120 that ask for one of 100 ports, 100 get one, 20 a sentence, and none is half made [S3].', async () => {
    await broker.kill();
    broker = await oneNode.start({ NODE_CAPACITY: '1000', NODE_PORTS: '21400-21499' });
    const ids = many(120, 'port');
    const answers = await make(ids);
    const { 201: made = [], 500: failed = [] } = sorted(ids, answers);
    expect([made.length, failed.length]).toEqual([100, 20]);
    expect(sentences(answers)).toEqual([
      'There is no free network port for the instance now. Try again later.',
    ]);

    const ports = await portsOf();
    expect(ports.map(({ id }) => id).toSorted()).toEqual(made.toSorted());
    const numbers = ports.map(({ port }) => port).toSorted((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => 21_400 + n));
    expect(oneNode.keys().toSorted()).toEqual(
      made.map((id) => keyIn(join(oneNode.directory, 'process'), id)).toSorted(),
    );
    expect(await node()).toMatchObject({ used: 100, ports_free: 0 });
    expect((await Promise.all(made.map((id) => broker.bind(id, of)))).map(({ status }) => status)).toEqual(
      made.map(() => 201),
    );
    expect(processesOf(...failed)).toEqual([]);

    expect(new Set(await remove(made))).toEqual(new Set([200]));
    expect(await remove(failed)).toEqual(failed.map(() => 200));
    expect(await portsOf()).toEqual([]);
    expect(oneNode.keys()).toEqual([]);
    expect(await node()).toMatchObject({ used: 0, instances: 0 });
    expect(processesOf(...made)).toEqual([]);
    // As if the time had passed for which a port rests.
    await oneNode.database.pool.query('update node_ports set free_at = now()');
    expect(await node()).toMatchObject({ ports_free: 100 });
    expect((await broker.provision('later', of)).status).toBe(201);
    expect(await remove(['later'])).toEqual([200]);
  });
});
