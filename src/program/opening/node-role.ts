import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { ServicePlan } from '../../broker/catalog.ts';
import type { NodeProfile, Nodes, UserRange } from '../../broker/nodes.ts';
import type { Config } from '../config.ts';
import { findExecutables } from '../../system/executables.ts';
import { realPath } from '../../system/sandbox/places.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { webOrigin } from '../../config/web-origin.ts';
import { openNode, type OpenNode } from '../../node/open-node.ts';
import { describeLimits } from '../../system/limits/open-limits.ts';
import { containerEngineNeed } from '../../provisioners/process/containers/traits.ts';
import { startHeartbeat } from '../loops/heartbeat.ts';

export interface NodeRoleParts {
  readonly config: Config;
  /** That this broker listens on. */
  readonly port: number;
  readonly nodes: Nodes;
  /** This process, as leases name it. */
  readonly holder: string;
  /** All that may need executables of this node. */
  readonly plans: readonly ServicePlan[];
  readonly note: (message: string) => void;
  readonly onTrouble: (error: unknown) => void;
  /** Told once when another machine has become this node. */
  readonly onLost: () => void;
  /** Ends the waiting for the node's name. */
  readonly signal: AbortSignal;
}

/** What this broker is and does as a node. */
export interface NodeRole {
  readonly node: LocalNode;
  /** Looks for what these plans need, now and from now on, and tells of it. @throws Refusal unavailable */
  lookFor(plans: readonly ServicePlan[]): Promise<void>;
  /** Lets another broker be this node; what runs goes on. */
  close(): Promise<void>;
}

/**
 * Becomes a node and tells the others.
 * @throws Error with a sentence when its directory or its name is in use, or it cannot be one at all
 */
export async function openNodeRole(parts: NodeRoleParts): Promise<NodeRole> {
  const { config, nodes, holder, onTrouble, onLost, signal } = parts;
  const node = await becomeNode(parts);
  let needs = needsOf(parts.plans);
  try {
    const heartbeat = await startHeartbeat({
      nodes,
      // Programs are installed and removed while the broker runs.
      profile: () => profileOf(config, node, parts.port, partsOf(config, node, needs)),
      holder,
      machine: placeOf(node),
      onTrouble,
      onLost,
      signal,
    });
    return {
      node,
      async lookFor(plans) {
        needs = needsOf(plans);
        await heartbeat.beat();
      },
      async close() {
        await heartbeat.stop();
        node.close();
      },
    };
  } catch (error) {
    node.close();
    throw error;
  }
}

async function becomeNode({ config, note }: NodeRoleParts): Promise<OpenNode> {
  const { nodeSandbox: use, nodeSandboxReads: reads = [], dataDir, tlsKey } = config;
  const { nodeName, nodeHost, nodeBind, nodeDir, nodeUser, catalogDirs, path } = config;
  // One that everybody may read is among the system's files for programs too.
  const keyFile = tlsKey === undefined ? [] : [realPath(tlsKey)];
  try {
    return await openNode({
      name: nodeName,
      host: nodeHost,
      bind: nodeBind,
      directory: nodeDir,
      account: nodeUser,
      users: usersOf(config),
      reserved: ownerOf(join(config.dataDir, 'postgres', 'cluster')),
      path: searchPath(path),
      catalogDirs,
      sandbox: { use, reads, hidden: [resolve(dataDir), ...keyFile, ...ownPlaces()] },
      note,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `This broker cannot be a node: ${why} Where it need not be one, set NODE_ROLE to false.`,
      {
        cause: error,
      },
    );
  }
}

/** Who has named one user for all instances, has them run as that one until a range is named as well. */
function usersOf({ nodeUser, nodeUsers }: Config): UserRange | 'any' | undefined {
  if (nodeUsers !== undefined) return nodeUsers === 'none' ? undefined : nodeUsers;
  return nodeUser === undefined ? 'any' : undefined;
}

/** Where this program lies, and what belongs to the people of this machine. */
function ownPlaces(): readonly string[] {
  const home = homeOfUser();
  const isSystem = /^\/((usr|bin|sbin|dev|etc|lib)(\/|$)|$)/.test(home);
  return [join(import.meta.dirname, '../../..'), '/home', '/root', ...(isSystem ? [] : [home])];
}

/** `/` for a user whom the system knows by number alone, as in many containers. */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

/** Programs that run as services are often where an ordinary user's PATH does not lead. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function searchPath(path = ''): string {
  return [...new Set([...path.split(':'), ...systemPath.split(':')])].filter(Boolean).join(':');
}

function ownerOf(path: string): readonly number[] {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? [found.uid] : [];
}

/** What it has of what offerings need. */
function partsOf(
  { nodeContainers }: Config,
  { path }: LocalNode,
  needs: readonly string[],
): readonly string[] {
  const engine = nodeContainers === undefined ? [] : [containerEngineNeed];
  return [...findExecutables(path, needs), ...engine];
}

function needsOf(plans: readonly ServicePlan[]): readonly string[] {
  return [...new Set(plans.flatMap(({ operating }) => operating.executables))].toSorted();
}

/**
 * By which two nodes of one name are told apart: two on one machine are as foreign to each other as two machines,
 * since each has its own directory.
 */
function placeOf({ machine, directory }: OpenNode): string {
  const { dev, ino } = statSync(directory);
  return `${machine} ${dev}:${ino}`;
}

function profileOf(
  config: Config,
  { name, host, directory, isolation, users, account, keeper }: LocalNode,
  port: number,
  executables: readonly string[],
): NodeProfile {
  const { nodePorts: ports, nodeCapacity: capacity, allowUnisolated: allowsUnisolated } = config;
  const url = config.nodeUrl ?? webOrigin(config, host, port);
  const accounts = users ? `${users.first}-${users.last}` : `${account?.name ?? "the broker's own"} (shared)`;
  const limits = keeper && describeLimits(keeper);
  const kept = { accounts, isolation, allowsUnisolated, limits };
  return { name, host, url, directory, ports, capacity, executables, ...kept };
}
