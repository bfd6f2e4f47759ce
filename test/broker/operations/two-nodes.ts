import { aPlan } from '../fixtures.ts';
import { coreInMemory, scripted } from '../core-in-memory.ts';

export const local = { local: true };
type Script = Parameters<typeof scripted>[0];

/** Two brokers on one store, which are the nodes a and b; b has more room, so new instances go there. */
export async function twoNodes(script: Script = {}, plans = [aPlan()]) {
  const { provisioner, asked, deeds } = scripted(script, local);
  const core = coreInMemory(provisioner, plans);
  await core.beat({ name: 'a', capacity: 5 });
  await core.beat({ name: 'b', capacity: 8 });
  const a = core.broker({ node: 'a', holder: 'a' });
  const b = core.broker({ node: 'b', holder: 'b' });
  return { core, a, b, asked, deeds };
}
