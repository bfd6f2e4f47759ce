import { Failure } from '../../../broker/errors.ts';
import { type JsonObject, memberOf } from '../../../broker/json.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import { until } from '../../../system/until.ts';
import { findCertificate, noteLoaded } from '../certificate.ts';
import type { UnitBlueprint } from '../files/blueprint.ts';
import { type ContainerEngine, EngineRefusal, requireAnswer } from './engine.ts';
import { type ImageSource, keepImage, requireOwnImage } from './images.ts';
import { type Container, findContainer } from './look.ts';
import { containerName, labels, labelsOf, networkName } from './names.ts';
import { specOf } from './spec.ts';

/** Milliseconds that a removal which has begun may take. */
const removal = 20_000;

/**
 * Starts a unit's container unless it runs. One that has ended and was made from the same is started again, with what
 * it had written to its output; another is made anew.
 * @throws Failure when it cannot be made or started
 */
export async function launchContainer(
  source: ImageSource,
  context: InstanceContext,
  unit: string,
  blueprint: UnitBlueprint,
): Promise<void> {
  const { engine } = source;
  const { directory } = context;
  const before = await requireOwn(engine, context, unit);
  if (before?.isRunning) return;
  const serial = findCertificate(directory)?.serial;
  const { image: name = '' } = blueprint;
  const image = await requireOwnImage(source, context, name);
  keepImage(context, name, image);
  const spec = await specOf(context, unit, blueprint, image.id);
  await ensureNetwork(engine, context);
  const isSame = before?.labels[labels.mark] === memberOf(spec, 'Labels')[labels.mark];
  if (!isSame || !(await start(engine, context, unit))) {
    if (before) await removeContainer(engine, before.id);
    await create(engine, context, unit, spec);
    if (!(await start(engine, context, unit)))
      throw new Error(`The network of the unit ${unit} has gone since.`);
  }
  noteLoaded(context, [unit], serial);
}

/** Ends and removes it; nothing happens when it is not there. */
export async function removeContainer(engine: ContainerEngine, id: string): Promise<void> {
  const path = `/containers/${id}`;
  const gone = await until(
    async () => {
      // 409: a removal of it goes on.
      const { status } = requireAnswer(
        await engine.ask('DELETE', path, { query: { force: 'true', v: 'true' } }),
        404,
        409,
      );
      return status !== 409;
    },
    { first: 5, longest: 500, limit: removal },
  );
  if (!gone) throw new Error(`The container ${id} is still there after its removal.`);
}

/** A network of its own, which no other instance is in. One that is there stays. */
async function ensureNetwork(engine: ContainerEngine, context: InstanceContext): Promise<void> {
  const body = {
    Name: networkName(context),
    CheckDuplicate: true,
    Driver: 'bridge',
    Labels: labelsOf(context),
  };
  const answer = await engine.ask('POST', '/networks/create', { body, signal: context.work.signal });
  if (answer.status < 300 || answer.status === 409) return;
  const refusal = new EngineRefusal(answer);
  // As Podman says it.
  if (/network already exists/i.test(refusal.message)) return;
  // Any other trouble of the engine passes.
  if (answer.status >= 500 && !/address pool|non-overlapping/i.test(refusal.message)) throw refusal;
  throw new Failure('no-network', 'There is no room for this instance. Try again later.', {
    detail: `The container engine makes no network for it: ${refusal.message}`,
  });
}

async function create(
  engine: ContainerEngine,
  context: InstanceContext,
  unit: string,
  spec: JsonObject,
): Promise<void> {
  const query = { name: containerName(context, unit) };
  const answer = await engine.ask('POST', '/containers/create', {
    query,
    body: spec,
    signal: context.work.signal,
  });
  if (answer.status < 300) return;
  // What a step that had been given up has sent may have come only now: the step is taken again.
  const refusal = new EngineRefusal(answer);
  if (answer.status !== 409 && answer.status < 500) throw notStarted(context, unit, refusal);
  throw new Error(context.work.redact(refusal.message));
}

/**
 * False when the network it was made in is none any more: a container that has ended does not keep its network from a
 * prune, and one that is made anew under the same name is another to it.
 */
async function start(engine: ContainerEngine, context: InstanceContext, unit: string): Promise<boolean> {
  const path = `/containers/${containerName(context, unit)}/start`;
  const answer = await engine.ask('POST', path, { signal: context.work.signal });
  // 304: it runs already.
  if (answer.status < 300 || answer.status === 304) return true;
  const refusal = new EngineRefusal(answer);
  if (answer.status === 404 && /no such container/i.test(refusal.message)) throw refusal;
  if (/network \S+ not found/i.test(refusal.message)) return false;
  throw notStarted(context, unit, refusal);
}

/** What cannot be started is left behind by the engine: the next attempt takes it, or the removal of the instance. */
function notStarted(context: InstanceContext, unit: string, refusal: EngineRefusal): Failure {
  const detail = context.work.redact(refusal.message);
  if (/port is already allocated|address already in use/i.test(refusal.message))
    return new Failure(
      'port-taken',
      'Another program uses a network port of the instance. Ask the operator of the broker.',
      { detail },
    );
  return new Failure('not-started', `The container of the unit ${unit} could not be started.`, { detail });
}

async function requireOwn(
  engine: ContainerEngine,
  context: InstanceContext,
  unit: string,
): Promise<Container | undefined> {
  const found = await findContainer(engine, context, unit);
  if (found !== 'strange') return found;
  throw new Failure('name-taken', 'The service cannot be started. Ask the operator of the broker.', {
    detail: `The container ${containerName(context, unit)} was not made by this broker.`,
  });
}
