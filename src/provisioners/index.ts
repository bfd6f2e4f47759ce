/** The ways of making things: add yours to the list, name it in an offering file. */
import type { Ports } from '../broker/nodes.ts';
import type { Provisioner, ProvisionerTraits } from '../broker/provisioner.ts';
import type { LocalNode } from '../node/local-node.ts';
import { absent } from './absent.ts';
import { command } from './command/index.ts';
import { directories } from './directory/index.ts';
import { echo } from './echo/index.ts';
import { faulty } from './faulty/index.ts';
import { postgresDatabases, type DatabaseSettings } from './postgres/index.ts';
import { processes } from './process/index.ts';

/** What the shipped provisioners need of the world. */
export interface ProvisionerSettings {
  /** Where `faulty` keeps the things it makes. */
  readonly faultyDirectory: string;
  /** What this broker is as a node; absent: what is local is known here, but never made. */
  readonly node?: LocalNode;
  readonly ports?: Ports;
  /** Where hooks of offerings lie, also of those that this broker never makes. */
  readonly catalogDirs?: readonly string[];
  readonly databases?: DatabaseSettings;
}

const noNode = 'This broker is not a node.';

/** All provisioners of this broker, in the order in which they are listed. */
export function shippedProvisioners(settings: ProvisionerSettings): readonly Provisioner[] {
  const { faultyDirectory, catalogDirs = [], databases = { servers: () => undefined } } = settings;
  const node = settings.node ?? absent<LocalNode>(noNode, { catalogDirs });
  const ports = settings.ports ?? absent<Ports>(noNode);
  return [
    echo(),
    faulty(faultyDirectory),
    processes({ node, ports }),
    postgresDatabases(databases),
    directories({ node }),
    command({ node, ports }),
  ];
}

/** By name: what an offering file that names a shipped provisioner may say, without anything that could make it. */
export function shippedTraits(): Readonly<Record<string, ProvisionerTraits>> {
  return registry(shippedProvisioners({ faultyDirectory: '' })).traits();
}

export interface Registry {
  readonly all: readonly Provisioner[];
  readonly names: readonly string[];
  /** Throws an Error that lists the known names. */
  get(name: string): Provisioner;
  /** By name: what an offering file that names the provisioner may say. */
  traits(): Readonly<Record<string, ProvisionerTraits>>;
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
    traits: () => Object.fromEntries(provisioners.map(({ name, traits }) => [name, traits])),
    async close() {
      for (const provisioner of provisioners) await provisioner.close?.();
    },
  };
}
