import { type JsonObject, memberOf } from '../../../broker/json.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import type { LocalNode } from '../../../node/local-node.ts';
import { type ContainerEngine, findByName, listIn, requireAnswer, textIn } from './engine.ts';
import { containerName, keyIn, labels, ownFilter } from './names.ts';

/** One container, as the engine tells of it. */
export interface Container {
  readonly id: string;
  readonly isRunning: boolean;
  readonly pid: number;
  /** It was ended for want of memory. */
  readonly isOutOfMemory: boolean;
  readonly exitCode: number | undefined;
  readonly labels: JsonObject;
}

/** Milliseconds that a look waits for an engine that has not ended and does not answer. */
const patience = 10_000;

/** Of this node, this instance and this unit; a stranger of the same name is none of ours. */
export async function findContainer(
  engine: ContainerEngine,
  context: InstanceContext,
  unit: string,
): Promise<Container | 'strange' | undefined> {
  const path = `/containers/${containerName(context, unit)}/json`;
  const found = await findByName(engine, path, { signal: context.work.signal });
  if (!found) return undefined;
  const own = memberOf(memberOf(found, 'Config'), 'Labels');
  const isOurs = own[labels.node] === context.node.directory && own[labels.key] === keyIn(context);
  if (!isOurs) return 'strange';
  const { Running, Pid, OOMKilled, ExitCode } = memberOf(found, 'State');
  return {
    id: textIn(found['Id']),
    isRunning: Running === true,
    pid: typeof Pid === 'number' ? Pid : 0,
    isOutOfMemory: OOMKilled === true,
    exitCode: typeof ExitCode === 'number' ? ExitCode : undefined,
    labels: own,
  };
}

/** Words of Docker and Podman for a container in which nothing runs. */
const atRest: ReadonlySet<string> = new Set([
  'created',
  'configured',
  'initialized',
  'exited',
  'stopped',
  'dead',
]);

/** The units of an instance that have something running. */
export async function listRunningUnits(
  engine: ContainerEngine,
  { node, directory, work }: InstanceContext,
): Promise<readonly string[]> {
  const query = { ...ownFilter(node, keyIn({ directory })), all: 'true' };
  const answer = await engine.ask('GET', '/containers/json', { query, signal: work.signal });
  const left = listIn(requireAnswer(answer).bytes).filter((one) => !atRest.has(textIn(one['State'])));
  return left.map((one) => memberOf(one, 'Labels')[labels.unit]).filter((unit) => typeof unit === 'string');
}

/** Something at the engine that bears the labels of this node. */
export interface Labelled {
  readonly id: string;
  readonly key: string;
  readonly instanceId: string | undefined;
}

/** @param key of one instance; absent: of all */
export async function listContainers(
  engine: ContainerEngine,
  node: LocalNode,
  key?: string,
): Promise<readonly Labelled[]> {
  const query = { ...ownFilter(node, key), all: 'true' };
  return labelledIn(await engine.ask('GET', '/containers/json', { query }));
}

/** @param key of one instance; absent: of all */
export async function listNetworks(
  engine: ContainerEngine,
  node: LocalNode,
  key?: string,
): Promise<readonly Labelled[]> {
  return labelledIn(await engine.ask('GET', '/networks', { query: ownFilter(node, key) }));
}

/** Undefined when the engine answers; else why nobody can judge what runs, as a clause. */
export async function engineFault(engine: ContainerEngine): Promise<string | undefined> {
  return engine.ask('GET', '/_ping', { limit: patience }).then(
    ({ status }) => (status < 300 ? undefined : `the container engine answers ${status}`),
    () => 'the container engine does not answer',
  );
}

function labelledIn(answer: Awaited<ReturnType<ContainerEngine['ask']>>): readonly Labelled[] {
  return listIn(requireAnswer(answer).bytes).map((one) => {
    const own = memberOf(one, 'Labels');
    const instanceId = own[labels.instance];
    return {
      id: textIn(one['Id']),
      key: textIn(own[labels.key]),
      instanceId: typeof instanceId === 'string' ? instanceId : undefined,
    };
  });
}
