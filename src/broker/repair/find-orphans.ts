import type { BrokerContext, Settings } from '../context.ts';
import type { Suspect, Scope } from '../orphans.ts';
import type { Inventory, Resource } from '../provisioner.ts';
import { underLimit } from '../timing.ts';

/** Milliseconds that a provisioner may take to tell what there is, or to remove one thing. */
const inventoryLimit = 60_000;

/** What a look for orphans needs of the core. */
type OrphanContext = Pick<BrokerContext, 'orphans' | 'inventories' | 'observe'> & {
  readonly settings: Pick<Settings, 'node'>;
};

/**
 * Asks every provisioner what really exists, remembers what no instance stands for, and removes what somebody has
 * said shall be removed. To be called again and again; never throws: what goes wrong is told and changes nothing.
 */
export async function findOrphans(core: OrphanContext): Promise<void> {
  for (const provisioner of core.inventories()) {
    const where = scopeOf(provisioner, core.settings.node);
    if (!where || !provisioner.inventory) continue;
    try {
      await lookThrough(core, provisioner, where);
    } catch (error) {
      reportTrouble(core, `looking for what ${provisioner.name} has made`, error);
    }
  }
}

/** Local things can be seen on a node only. */
function scopeOf({ name, traits }: Inventory, node: string | undefined): Scope | undefined {
  if (!traits.local) return { provisioner: name };
  return node === undefined ? undefined : { provisioner: name, node };
}

/**
 * The things first, then the rows: so the row of a thing in the making, which is older than the thing, is always
 * found.
 */
async function lookThrough(core: OrphanContext, provisioner: Inventory, where: Scope): Promise<void> {
  const { orphans, observe } = core;
  const found = await underLimit(inventoryLimit, async () => (await provisioner.inventory?.()) ?? []);
  const before = await suspectsAt(core, where);
  const approved = await orphans.look(where, found);
  const known = new Set(before.map(({ resource: thing }) => thing.name));
  for (const { resource: thing } of await suspectsAt(core, where))
    if (!known.has(thing.name)) observe({ type: 'orphan-suspected', ...where, name: thing.name });
  for (const thing of approved) await remove(core, provisioner, where, thing);
}

async function suspectsAt({ orphans }: OrphanContext, where: Scope): Promise<readonly Suspect[]> {
  const all = await orphans.list();
  return all.filter(({ provisioner, node }) => provisioner === where.provisioner && node === where.node);
}

/** One that cannot be removed must not keep the others; it is tried again at the next look. */
async function remove(
  core: OrphanContext,
  provisioner: Inventory,
  where: Scope,
  thing: Resource,
): Promise<void> {
  try {
    if (!provisioner.purge) throw new Error(`The provisioner '${provisioner.name}' cannot remove anything`);
    // What was removed before it took its time, and its id may have been given again meanwhile.
    if (!(await core.orphans.isNobodys(where, thing))) return;
    await underLimit(inventoryLimit, async () => provisioner.purge?.(thing));
    core.observe({ type: 'orphan-removed', ...where, name: thing.name });
  } catch (error) {
    reportTrouble(core, `removing ${thing.name}`, error);
  }
}

function reportTrouble({ observe }: OrphanContext, doing: string, error: unknown): void {
  observe({ type: 'trouble', doing, detail: String(error) });
}
