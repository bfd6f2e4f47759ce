import type { Resource } from '../../../broker/provisioner.ts';
import { inMegabytes } from '../../../system/limits/amounts.ts';
import { requireExecutables } from '../units/executables.ts';
import { tailOf } from '../units/logs.ts';
import type { UnitDescription, UnitRunner } from '../units/runner.ts';
import { configOf } from '../config.ts';
import { type ContainerEngine, requireAnswer } from './engine.ts';
import { execIn } from './exec.ts';
import { type ImageSource, requireOwnImage } from './images.ts';
import { launchContainer, removeContainer } from './launch.ts';
import {
  engineFault,
  findContainer,
  type Labelled,
  listContainers,
  listNetworks,
  listRunningUnits,
} from './look.ts';
import { keyIn } from './names.ts';
import { outputOf } from './output.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import type { LocalNode } from '../../../node/local-node.ts';
import type { UnitBlueprint } from '../files/blueprint.ts';
import { imagesOf } from './mistakes.ts';

/** Bytes that are looked at for the last lines. */
const longestTail = 1_000_000;

/** Units in containers: each is known by a name of its own and its labels. */
export function containerRunner(source: ImageSource): UnitRunner {
  const { engine } = source;
  const runner: UnitRunner = {
    kind: 'container',
    // In its network a program is reached at an address that nobody knows before.
    bind: '0.0.0.0',
    findFault: () => engineFault(engine),
    async listLeft(context, named) {
      const units = await listRunningUnits(engine, context);
      return units.filter((unit) => named?.includes(unit) ?? true);
    },
    async isLive(context, unit) {
      const found = await findContainer(engine, context, unit);
      return found !== 'strange' && found?.isRunning === true;
    },
    describe: (context, unit, blueprint) => describeContainer(engine, context, unit, blueprint),
    launch: (context, unit, blueprint) => launchContainer(source, context, unit, blueprint),
    async signal(context, unit, signal) {
      await runner.signalProgram(context, unit, signal);
    },
    async signalProgram(context, unit, signal) {
      const found = await findContainer(engine, context, unit);
      if (found === 'strange' || !found?.isRunning) return false;
      const answer = await engine.ask('POST', `/containers/${found.id}/kill`, { query: { signal } });
      if (answer.status < 300) return true;
      // Engines differ in what they say of one that has ended since.
      if (await runner.isLive(context, unit)) requireAnswer(answer, 404, 409);
      return false;
    },
    run: (context, unit, { cwd }, command) => execIn(engine, context, unit, command, context.directory[cwd]),
    async tail(context, unit, own, lines) {
      const written = own === undefined ? '' : tailOf(context.node, context.directory, unit, own, lines);
      const found = await findContainer(engine, context, unit);
      if (written || found === 'strange' || !found) return written;
      return tailOfContainer(engine, found.id, lines);
    },
    async requireParts(context) {
      await requireExecutables(context);
      for (const image of imagesOf(configOf(context.work.plan), context.roots))
        await requireOwnImage(source, context, image);
    },
    remove: (context) => removeAll(engine, context.node, keyIn(context)),
    listElsewhere: (node, known) => listStrays(engine, node, known),
    async purge({ node }, _directory, { key }) {
      if (key !== undefined) await removeAll(engine, node, key);
    },
  };
  return runner;
}

async function describeContainer(
  engine: ContainerEngine,
  context: InstanceContext,
  unit: string,
  blueprint: UnitBlueprint | undefined,
): Promise<UnitDescription> {
  const found = await findContainer(engine, context, unit);
  if (found === 'strange') return { alive: false, reason: 'a container that is not ours has its name' };
  if (found?.isRunning) return { alive: true, pid: found.pid };
  const { memory } = blueprint?.limits ?? {};
  if (!found?.isOutOfMemory || memory === undefined) return { alive: false };
  const allows = `of which its plan allows ${inMegabytes(memory)} MB`;
  return { alive: false, reason: `it was ended for want of memory, ${allows}` };
}

async function listStrays(
  engine: ContainerEngine,
  node: LocalNode,
  known: readonly Resource[],
): Promise<readonly Resource[]> {
  const keys = new Set(known.flatMap(({ key }) => key ?? []));
  // An engine that does not answer has lost nothing.
  const found = await listAll(engine, node).catch(() => []);
  const strays = new Map(found.filter(({ key }) => !keys.has(key)).map((one) => [one.key, one]));
  return [...strays.values()].map(({ key, instanceId }) => ({ name: `containers ${key}`, key, instanceId }));
}

/** Containers first: a network that is used cannot be removed. */
async function removeAll(engine: ContainerEngine, node: LocalNode, key: string): Promise<void> {
  for (const { id } of await listContainers(engine, node, key)) await removeContainer(engine, id);
  for (const { id } of await listNetworks(engine, node, key))
    requireAnswer(await engine.ask('DELETE', `/networks/${id}`), 404);
}

async function listAll(engine: ContainerEngine, node: LocalNode): Promise<readonly Labelled[]> {
  return [...(await listContainers(engine, node)), ...(await listNetworks(engine, node))];
}

async function tailOfContainer(engine: ContainerEngine, id: string, lines: number): Promise<string> {
  const query = { stdout: 'true', stderr: 'true', tail: String(lines) };
  const answer = await engine.ask('GET', `/containers/${id}/logs`, { query, maxBytes: longestTail });
  if (requireAnswer(answer, 404, 409).status >= 300) return '';
  return outputOf(answer.bytes).both.trimEnd().split('\n').slice(-lines).join('\n');
}
