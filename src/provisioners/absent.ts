import type { Ports } from '../broker/nodes.ts';
import type { LocalNode } from '../node/local-node.ts';

/** What provisioners are given of a broker that is no node. */
export interface AbsentNode {
  readonly node: LocalNode;
  readonly ports: Ports;
}

/**
 * Only where hooks lie is known, also of what this broker never makes: whatever else is asked of the node is an Error.
 */
export function absentNode(catalogDirs: readonly string[]): AbsentNode {
  return {
    node: {
      catalogDirs,
      get name() {
        return refuse();
      },
      get host() {
        return refuse();
      },
      get bind() {
        return refuse();
      },
      get directory() {
        return refuse();
      },
      get path() {
        return refuse();
      },
      get account() {
        return refuse();
      },
      get isolation() {
        return refuse();
      },
      get bubblewrap() {
        return refuse();
      },
    },
    ports: { take: refuse, replace: refuse, release: refuse },
  };
}

function refuse(): never {
  throw new Error('This broker is not a node.');
}
