/** The ways of making things: add yours to the list, name it in an offering file. */
import type { Provisioner, ProvisionerTraits } from '../broker/provisioner.ts';
import { echo } from './echo/index.ts';
import { faulty } from './faulty/index.ts';

/** What the shipped provisioners need of the world. */
export interface ProvisionerSettings {
  /** Where `faulty` keeps the things it makes. */
  readonly faultyDirectory: string;
}

/** All provisioners of this broker, in the order in which they are listed. */
export function shippedProvisioners(settings: ProvisionerSettings): readonly Provisioner[] {
  return [echo(), faulty(settings.faultyDirectory)];
}

export interface Registry {
  readonly names: readonly string[];
  /** Throws an Error that lists the known names. */
  get(name: string): Provisioner;
  /** By name: what an offering file that names the provisioner may say. */
  traits(): Readonly<Record<string, ProvisionerTraits>>;
}

/** Provisioners by name; two of one name are an Error. */
export function registry(provisioners: readonly Provisioner[]): Registry {
  const byName = new Map<string, Provisioner>();
  for (const provisioner of provisioners) {
    if (byName.has(provisioner.name)) {
      throw new Error(`There are two provisioners with the name '${provisioner.name}'.`);
    }
    byName.set(provisioner.name, provisioner);
  }
  const names = [...byName.keys()];
  return {
    names,
    get(name) {
      const found = byName.get(name);
      if (!found) {
        throw new Error(`There is no provisioner '${name}'. Known are: ${names.join(', ') || 'none'}.`);
      }
      return found;
    },
    traits: () => Object.fromEntries(provisioners.map(({ name, traits }) => [name, traits])),
  };
}
