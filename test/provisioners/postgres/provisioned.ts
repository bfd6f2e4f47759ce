import type { UnitFacts } from '../../../src/broker/units.ts';
import { openDatabases, type Databases, type Instance } from './databases.ts';

/** To be called at the top of a test file: what is provisioned is removed after each of its tests. */
export function provisionedDatabases() {
  const databases = openDatabases();
  const made: Instance[] = [];
  afterAll(() => databases.close());
  afterEach(async () => {
    for (const instance of made.splice(0)) await instance.deprovision();
  });
  return {
    databases,
    made,
    provisioned: async (config = {}): Promise<Instance> => {
      const instance = databases.anInstance(config);
      made.push(instance);
      await instance.provision();
      return instance;
    },
  };
}

/** What is seen of the one unit of this instance. */
export async function look(from: Databases, instance: Instance): Promise<UnitFacts | undefined> {
  const [unit, ...others] = (await from.provisioner.units?.inspect(instance.work())) ?? [];
  expect(others).toEqual([]);
  return unit;
}
