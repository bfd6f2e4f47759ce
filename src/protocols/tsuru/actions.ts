import type { Broker } from '../../broker/broker.ts';
import { Refusal } from '../../broker/errors.ts';
import type { LogQuery } from '../../broker/units.ts';
import type { Call, Reply } from '../protocol.ts';
import { readFields } from './parameters/fields.ts';
import { textReply } from './replies.ts';
import { readOrigin } from './requests.ts';
import { requireText } from './texts.ts';
import { requireEntry, type TsuruContext } from './context.ts';

// What users may ask for through tsuru's proxy, beside what tsuru itself asks for. All else is not there.

export type Action = keyof Pick<Broker, 'start' | 'stop' | 'restart'>;

const participles: Readonly<Record<Action, readonly [done: string, going: string]>> = {
  start: ['started', 'being started'],
  stop: ['stopped', 'being stopped'],
  restart: ['restarted', 'being restarted'],
};

export async function act(tsuru: TsuruContext, call: Call, action: Action): Promise<Reply> {
  const origin = readOrigin(call, readFields(call));
  const { id: instanceId } = (await requireEntry(tsuru, call)).instance;
  const command = { instanceId, acceptsIncomplete: true, origin, isGone: call.isGone };
  const outcome = await tsuru.broker[action](command);
  const [done, going] = participles[action];
  if (outcome.is === 'absent') throw new Refusal('not-found', 'There is no such instance.');
  return outcome.is === 'accepted'
    ? textReply(202, `It is ${going}.`)
    : textReply(200, `It has been ${done}.`);
}

export async function units(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const { instance } = await requireEntry(tsuru, call);
  const seen = await tsuru.broker.status(instance.id);
  const body = seen.units.map(({ unit, status, reason, since, address }) => ({
    unit,
    status,
    reason,
    since,
    address,
  }));
  return { status: 200, body };
}

/** The last lines of each unit, or of `?unit=`, as text; `?lines=` says how many. */
export async function log(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const query = readLogQuery(call);
  const origin = readOrigin(call, readFields(call));
  const { instance } = await requireEntry(tsuru, call);
  const found = await tsuru.broker.log({ instanceId: instance.id, ...query, origin });
  const many = found.length > 1;
  return textReply(200, found.map(({ unit, text }) => (many ? `==> ${unit} <==\n${text}` : text)).join('\n'));
}

const usualLines = 100;
const mostLines = 10_000;

function readLogQuery({ query }: Call): LogQuery {
  const unit = query.get('unit') || undefined;
  const lines = query.get('lines') || String(usualLines);
  if (!/^\d{1,5}$/.test(lines) || Number(lines) < 1 || Number(lines) > mostLines) {
    throw new Refusal('invalid', `lines must be a whole number from 1 to ${mostLines}.`, 'lines');
  }
  return { lines: Number(lines), unit: unit === undefined ? undefined : requireText(unit, 'unit') };
}
