import { aPlan } from '../fixtures.ts';
import { aWorld, scripted } from '../core-in-memory.ts';

export const local = { local: true };
type Script = Parameters<typeof scripted>[0];

/** Two brokers on one store, which are the nodes a and b; b has more room, so new instances go there. */
export async function twoNodes(script: Script = {}, plans = [aPlan()]) {
  const { provisioner, asked, deeds } = scripted(script, local);
  const world = aWorld(provisioner, plans);
  await world.beat({ name: 'a', capacity: 5 });
  await world.beat({ name: 'b', capacity: 8 });
  const a = world.broker({ node: 'a', holder: 'a' });
  const b = world.broker({ node: 'b', holder: 'b' });
  return { world, a, b, asked, deeds };
}
