import type { Provisioner } from '../broker/provisioner.ts';

/** The ways of making things, by name. */
export interface Registry {
  readonly all: readonly Provisioner[];
  readonly names: readonly string[];
  /** Throws an Error that lists the known names. */
  get(name: string): Provisioner;
  /** Lets go of what they have open. */
  close(): Promise<void>;
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
    all: provisioners,
    names,
    get(name) {
      const found = byName.get(name);
      if (!found) {
        throw new Error(`There is no provisioner '${name}'. Known are: ${names.join(', ') || 'none'}.`);
      }
      return found;
    },
    async close() {
      for (const provisioner of provisioners) await provisioner.close?.();
    },
  };
}
