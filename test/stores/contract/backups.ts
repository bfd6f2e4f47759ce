import { auditEntry } from '../../../src/broker/audit.ts';
import type { BackupsQuery, NewBackup } from '../../../src/broker/backups.ts';
import type { Store } from '../../../src/broker/store.ts';
import { newId } from '../../broker/fixtures.ts';
import type { MakeStore } from './remembered.ts';
import { anInstanceIn, begun, claim, open, readInstance } from './steps.ts';

export function describeBackups(makeStore: MakeStore): void {
  let store: Store;
  const ids: string[] = [];
  beforeEach(async () => {
    store = await makeStore();
    ids.length = 0;
    for (const id of ['i1', 'i2']) {
      await anInstanceIn(store, { id, offeringId: `offering of ${id}` });
      for (let count = 0; count < 2; count += 1) ids.unshift(await save(id));
    }
  });

  async function save(instanceId: string, stale = false): Promise<string> {
    const put = await readInstance(store, instanceId);
    const operation = begun('backup', { instanceId });
    await open(store, { operation, leaseMs: 0, instance: { put } });
    const held = await claim(store);
    const { id, attempt } = held.operation;
    const backup: NewBackup = {
      id,
      name: `${id}-1`,
      instanceId,
      offeringId: put.offeringId,
      planId: put.planId,
      revision: put.revision,
      stored: { size: 5_000_000_000, sha256: 'ab' },
      protocol: 'operator',
      principal: 'ops',
    };
    const own = stale ? { ...held, operation: { ...held.operation, attempt: attempt - 1 } } : held;
    expect(await store.settle(own, { backup, did: { step: 'backup', tries: 1, undo: false, ms: 1 } })).toBe(
      !stale,
    );
    return id;
  }

  async function listed(query: Partial<BackupsQuery> = {}): Promise<readonly string[]> {
    return (await store.backups.list({ limit: 100, ...query })).backups.map(({ id }) => id);
  }

  test('A backup is written with the end of its operation, and is listed, the latest first.', async () => {
    expect((await listed()).toSorted()).toEqual(ids.toSorted());
    expect((await listed({ instanceId: 'i1' })).toSorted()).toEqual(ids.slice(2).toSorted());
    expect((await listed({ offeringId: 'offering of i2' })).toSorted()).toEqual(ids.slice(0, 2).toSorted());
    const times = (await store.backups.list({ limit: 10 })).backups.map(({ createdAt }) =>
      createdAt.getTime(),
    );
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(await listed({ olderThan: 3_600_000 })).toEqual([]);
    expect(await store.backups.find(ids[3] ?? '')).toMatchObject({
      instanceId: 'i1',
      stored: { size: 5_000_000_000, sha256: 'ab' },
      protocol: 'operator',
      principal: 'ops',
      removing: false,
    });
  });

  test('Who has lost the operation writes no backup.', async () => {
    const id = await save('i1', true);
    expect(await store.backups.find(id)).toBeUndefined();
  });

  test('The list of backups comes page by page, and refuses what is no page.', async () => {
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = await store.backups.list({ limit: 3, after });
      expect(page.backups.length).toBeLessThanOrEqual(3);
      found.push(...page.backups.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(found).toEqual(await listed());
    const refused = { code: 'invalid', field: 'after' };
    await expect(store.backups.list({ limit: 3, after: 'x' })).rejects.toMatchObject(refused);
  });

  test('A backup is condemned before it is forgotten, with one row of the trail however often it is asked for.', async () => {
    const [id = ''] = ids;
    const principal = newId();
    const condemn = () =>
      store.backups.condemn(
        id,
        auditEntry(
          { newId, settings: { holder: 'broker' } },
          { protocol: 'operator', principal },
          { verb: 'delete-backup', object: { kind: 'instance', instanceId: 'i2' }, outcome: 'succeeded' },
        ),
      );
    await store.backups.forget(id);
    expect(await condemn()).toMatchObject({ id, removing: true });
    expect(await condemn()).toMatchObject({ id, removing: true });
    expect((await store.audit.list({ limit: 10, principal })).entries).toHaveLength(1);
    await store.backups.forget(id);
    expect(await store.backups.find(id)).toBeUndefined();
    expect(await condemn()).toBeUndefined();
    expect(await listed()).not.toContain(id);
  });
}
