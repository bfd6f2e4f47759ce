import type { BrokerContext, Settings } from './context.ts';
import type { Suspect, Scope } from './orphans.ts';
import type { Provisioner, Resource } from './provisioner.ts';
import { underLimit } from './timing.ts';

/** Milliseconds that a provisioner may take to tell what there is, or to remove one thing. */
const patience = 60_000;

/** What of the broker's world a look for orphans needs. */
type World = Pick<BrokerContext, 'orphans' | 'provisioners' | 'observe'> & {
  readonly settings: Pick<Settings, 'node'>;
};

/**
 * Asks every provisioner what really exists, remembers what no instance stands for, and removes what somebody has
 * said shall be removed. To be called again and again; never throws: what goes wrong is told and changes nothing.
 */
export async function findOrphans(world: World): Promise<void> {
  for (const provisioner of world.provisioners()) {
    const where = whereabouts(provisioner, world.settings.node);
    if (!where || !provisioner.inventory) continue;
    try {
      await lookThrough(world, provisioner, where);
    } catch (error) {
      tellTrouble(world, `looking for what ${provisioner.name} has made`, error);
    }
  }
}

/** Local things can be seen on a node only. */
function whereabouts({ name, traits }: Provisioner, node: string | undefined): Scope | undefined {
  if (!traits.local) return { provisioner: name };
  return node === undefined ? undefined : { provisioner: name, node };
}

/**
 * The things first, then the rows: so the row of a thing in the making, which is older than the thing, is always
 * found.
 */
async function lookThrough(world: World, provisioner: Provisioner, where: Scope): Promise<void> {
  const { orphans, observe } = world;
  const found = await underLimit(patience, async () => (await provisioner.inventory?.()) ?? []);
  const before = await suspectsAt(world, where);
  const condemned = await orphans.look(where, found);
  const known = new Set(before.map(({ resource: thing }) => thing.name));
  for (const { resource: thing } of await suspectsAt(world, where))
    if (!known.has(thing.name)) observe({ type: 'orphan-suspected', ...where, name: thing.name });
  for (const thing of condemned) await remove(world, provisioner, where, thing);
}

async function suspectsAt({ orphans }: World, where: Scope): Promise<readonly Suspect[]> {
  const all = await orphans.list();
  return all.filter(({ provisioner, node }) => provisioner === where.provisioner && node === where.node);
}

/** One that cannot be removed must not keep the others; it is tried again at the next look. */
async function remove(world: World, provisioner: Provisioner, where: Scope, thing: Resource): Promise<void> {
  try {
    if (!provisioner.purge) throw new Error(`The provisioner '${provisioner.name}' cannot remove anything`);
    // What was removed before it took its time, and its id may have been given again meanwhile.
    if (!(await world.orphans.isNobodys(where, thing))) return;
    await underLimit(patience, async () => provisioner.purge?.(thing));
    world.observe({ type: 'orphan-removed', ...where, name: thing.name });
  } catch (error) {
    tellTrouble(world, `removing ${thing.name}`, error);
  }
}

function tellTrouble({ observe }: World, doing: string, error: unknown): void {
  observe({ type: 'trouble', doing, detail: String(error) });
}
