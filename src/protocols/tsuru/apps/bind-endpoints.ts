import { Refusal } from '../../../broker/errors.ts';
import type { InstanceEntry } from '../../../broker/operator-view.ts';
import type { Call, Reply } from '../../protocol.ts';
import type { App, AskedOf } from './apps.ts';
import { bind, unbindAll } from './bindings.ts';
import { coerceParameters } from '../parameters/coerce.ts';
import { envOf } from './env.ts';
import { readFields, type Fields } from '../parameters/fields.ts';
import { offeringIn } from '../names.ts';
import { emptyReply } from '../replies.ts';
import { findApp, findUnit, readContext, readJob, readOrigin, requireApp } from '../requests.ts';
import { requireEntry, type TsuruContext } from '../context.ts';

/** `POST /resources/<name>` of 2012 to 2014: a bind is always one of a unit, even where only one host is told. */
export function bindFirstGeneration(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const fields = readFields(call);
  const app = requireApp(fields);
  return answerBind(tsuru, call, { fields, app, unit: findUnit(fields) ?? app.host });
}

/** `POST .../bind`: of a unit when one is named, else of the app, as newer clients ask after a 404. */
export function bindUnitOrApp(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const fields = readFields(call);
  return answerBind(tsuru, call, { fields, app: requireApp(fields), unit: findUnit(fields) });
}

export function bindApp(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const fields = readFields(call);
  return answerBind(tsuru, call, { fields, app: requireApp(fields) });
}

export function bindJob(tsuru: TsuruContext, call: Call): Promise<Reply> {
  return answerBind(tsuru, call, { fields: readFields(call), app: readJob(call) });
}

interface Asked {
  readonly fields: Fields;
  readonly app: App;
  readonly unit?: string | undefined;
}

async function answerBind(tsuru: TsuruContext, call: Call, { fields, app, unit }: Asked): Promise<Reply> {
  const entry = await requireEntry(tsuru, call);
  requireFinished(entry);
  const plan = await tsuru.overview.plan(entry.instance);
  const { confidential } = await bind(tsuru, {
    instanceId: entry.instance.id,
    isGone: call.isGone,
    app,
    unit,
    stopped: entry.instance.stopped ?? false,
    parameters: coerceParameters(plan, 'bind', fields.parameters),
    context: { ...readContext(fields), [`${app.kind}_name`]: app.name ?? app.host ?? '' },
    origin: readOrigin(call, fields),
  });
  return { status: 201, body: envOf(offeringIn(call), confidential.answer.credentials) };
}

/** Said before anything is written: clients come again and again until it is ready. */
function requireFinished({ state, status: { reason } }: InstanceEntry): void {
  if (state === 'provisioning')
    throw new Refusal('not-ready', 'The instance is not ready yet: it is being made.');
  if (state === 'failed' || state === 'deprovisioning') {
    throw new Refusal('not-ready', `The instance cannot be bound: ${reason}.`);
  }
}

/** `DELETE .../hostname/<host>`: of which app the unit is, is not told. */
export function unbindHost(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const host = call.params['host'] ?? '';
  return answerUnbind(tsuru, call, readFields(call), (asked) => tsuru.apps().depart(asked, host));
}

/** `DELETE .../bind`: as with the bind. */
export function unbindUnitOrApp(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const fields = readFields(call);
  const unit = findUnit(fields);
  const app = findApp(fields);
  if (!app && unit !== undefined) {
    return answerUnbind(tsuru, call, fields, (asked) => tsuru.apps().depart(asked, unit));
  }
  return answerUnbind(tsuru, call, fields, (asked) =>
    tsuru.apps().leave(asked, app ?? requireApp(fields), unit),
  );
}

export function unbindApp(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const fields = readFields(call);
  return answerUnbind(tsuru, call, fields, (asked) =>
    tsuru.apps().leave(asked, requireApp(fields), undefined),
  );
}

export function unbindJob(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const job = readJob(call);
  return answerUnbind(tsuru, call, readFields(call), (asked) => tsuru.apps().leave(asked, job, undefined));
}

async function answerUnbind(
  tsuru: TsuruContext,
  call: Call,
  fields: Fields,
  go: (asked: AskedOf) => Promise<readonly string[] | undefined>,
): Promise<Reply> {
  // What is refused has changed nothing.
  const origin = readOrigin(call, fields);
  const { instance } = await requireEntry(tsuru, call);
  const leaving = await go({ instanceId: instance.id, isGone: call.isGone });
  if (!leaving) throw new Refusal('not-found', 'This is not bound to the instance.');
  await unbindAll(tsuru, instance.id, leaving, origin);
  return emptyReply(200);
}
