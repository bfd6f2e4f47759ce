import { instanceKey } from '../key.ts';
import type { Listed } from '../listing.ts';
import type { Inventory, Resource } from '../provisioner.ts';
import type { ServiceInstance } from '../records.ts';
import type { RequestContext } from '../requests/context.ts';
import { underLimit } from '../timing.ts';

/** An instance of which its provisioner finds nothing. */
export interface MissingInstance {
  readonly instance: Pick<ServiceInstance, 'id' | 'offeringId' | 'planId'>;
  readonly key: string;
  readonly provisioner: string;
  readonly node?: string;
}

export interface Missing {
  readonly missing: readonly MissingInstance[];
  /** What could not be looked for, as sentences. */
  readonly unseen: readonly string[];
}

/** Milliseconds that a provisioner may take to tell what there is. */
const inventoryLimit = 60_000;
const pageSize = 1000;

/**
 * Looks for rows without a thing: instances that are ready and at rest in the books, and that a provisioner which can
 * tell what there is does not find. Of what is on nodes, only that on this broker's own can be seen.
 */
export async function findMissing(core: RequestContext): Promise<Missing> {
  const seeing = core.inventories().filter((one) => one.inventory && isSeen(core, one));
  // The rows first, then the things: so nothing is missed that is just being made.
  const rows = await readyInstances(core);
  const looks = await Promise.all(seeing.map((one) => lookWith(core, one, rows)));
  return {
    missing: looks.flatMap(({ missing }) => missing),
    unseen: looks.flatMap(({ unseen }) => unseen),
  };
}

function isSeen({ settings }: RequestContext, { traits }: Inventory): boolean {
  return !traits.local || settings.node !== undefined;
}

/** Those by the name of what has made them; of a plan that nobody can read, nobody can say it. */
type Rows = ReadonlyMap<string, readonly Kept[]>;

/** What of a row is needed: there may be very many. */
type Kept = Pick<ServiceInstance, 'id' | 'key' | 'version' | 'offeringId' | 'planId' | 'place'>;

async function readyInstances(core: RequestContext): Promise<Rows> {
  const rows = new Map<string, Kept[]>();
  let after: string | undefined;
  do {
    const page = await core.store.list({ after, limit: pageSize, state: 'ready' });
    for (const { instance } of page) {
      const name = await provisionerOf(core, instance);
      const { id, key, version, offeringId, planId, place } = instance;
      if (name === undefined) continue;
      if (!rows.has(name)) rows.set(name, []);
      rows.get(name)?.push({ id, key, version, offeringId, planId, place });
    }
    after = page.length === pageSize ? page.at(-1)?.instance.id : undefined;
  } while (after !== undefined);
  return rows;
}

async function provisionerOf(core: RequestContext, instance: ServiceInstance): Promise<string | undefined> {
  const plan = await core.planOf(instance).catch(() => undefined);
  return plan?.making.provisioner;
}

async function lookWith(core: RequestContext, provisioner: Inventory, rows: Rows): Promise<Missing> {
  const { name, traits } = provisioner;
  const { node } = core.settings;
  const own = (rows.get(name) ?? []).filter(({ place }) => !traits.local || place?.node === node);
  if (own.length === 0) return { missing: [], unseen: [] };
  try {
    const found = await underLimit(inventoryLimit, async () => (await provisioner.inventory?.()) ?? []);
    const lost = await Promise.all(absentFrom(found, own).map((one) => isStillSo(core, one)));
    const missing = lost.flat().map(({ instance: { id, offeringId, planId, key } }) => ({
      instance: { id, offeringId, planId },
      key: instanceKey({ id, key }),
      provisioner: name,
      node: traits.local ? node : undefined,
    }));
    return { missing, unseen: [] };
  } catch (error) {
    core.observe({ type: 'trouble', doing: `looking for what ${name} has made`, detail: String(error) });
    return { missing: [], unseen: [`What '${name}' has made could not be looked for; the log says why.`] };
  }
}

function absentFrom(found: readonly Resource[], instances: readonly Kept[]): readonly Kept[] {
  const keys = new Set(found.map(({ key }) => key));
  // A key is of one life of an id: where there is one, the id says nothing.
  const ids = new Set(found.flatMap(({ key, instanceId }) => (key === undefined ? [instanceId] : [])));
  return instances.filter((one) => !keys.has(instanceKey(one)) && !ids.has(one.id));
}

/** What was changed or removed while the things were looked for is not missed. */
async function isStillSo({ store }: RequestContext, { id, version }: Kept): Promise<readonly Listed[]> {
  const listed = await store.list({ instanceId: id, limit: 1, state: 'ready' });
  return listed.filter(({ instance }) => instance.version === version);
}
