import type { Answer, BrokerProcess } from './broker-process.ts';
import { offeringId, type Kind } from './offering.ts';

/** An instance, with a binding where the kind is about one, to which an operation of this kind happens. */
export interface Subject {
  readonly id: string;
  readonly kind: Kind;
  /** Of the offering of these tests. */
  readonly plan: string;
  readonly binding?: string;
}

type Asker = Pick<BrokerProcess, 'ask'>;

/** What must be there before the operation can be asked for. */
export async function prepare(broker: Asker, { id, kind, plan }: Subject): Promise<void> {
  if (kind !== 'provision') await requireMade(request(broker, { id, kind: 'provision', plan }));
  if (kind === 'unbind') await requireMade(request(broker, { id, kind: 'bind', plan }));
}

async function requireMade(asked: Promise<Answer>): Promise<void> {
  const { status, body } = await asked;
  expect([status, body['description']]).toEqual([201, undefined]);
}

/** Asks for the operation, and waits for its end, as a platform does that does not accept incomplete work. */
export function request(broker: Asker, subject: Subject): Promise<Answer> {
  const ids = { service_id: offeringId, plan_id: subject.plan };
  const query = new URLSearchParams(ids).toString();
  const where = { organization_guid: 'o', space_guid: 's' };
  const path = pathOf(subject);
  switch (subject.kind) {
    case 'provision':
      return broker.ask('PUT', path, { ...ids, ...where });
    case 'update':
      return broker.ask('PATCH', path, { service_id: offeringId, parameters: { size: 2 } });
    case 'bind':
      return broker.ask('PUT', path, ids);
    case 'deprovision':
    case 'unbind':
      return broker.ask('DELETE', `${path}?${query}`);
  }
}

/** Of the thing that the operation is about. */
function pathOf({ id, kind, binding = 'b' }: Subject): string {
  const instance = `/v2/service_instances/${id}`;
  return kind === 'bind' || kind === 'unbind' ? `${instance}/service_bindings/${binding}` : instance;
}

/** How the operation has ended, and what of its thing is there. */
export async function looksOf(broker: Asker, subject: Subject): Promise<Looks> {
  const path = pathOf(subject);
  const lastOperation = await broker.ask('GET', `${path}/last_operation`);
  return { lastOperation, fetched: await broker.ask('GET', path) };
}

export interface Looks {
  readonly lastOperation: Answer;
  readonly fetched: Answer;
}

/** The same, and the answer to a repetition of the request, which must not make anything more. */
export async function fateOf(broker: Asker, subject: Subject): Promise<Looks & { readonly again: Answer }> {
  return { ...(await looksOf(broker, subject)), again: await request(broker, subject) };
}

const succeeded = { status: 200, body: { state: 'succeeded' } };
const there = { lastOperation: succeeded, fetched: { status: 200 }, again: { status: 200 } };
const gone = { lastOperation: { status: 410 }, fetched: { status: 404 }, again: { status: 410 } };

/** The fate of an operation that was completed, and what of the instance's things is there then. */
export const success: Readonly<Record<Kind, Success>> = {
  provision: { status: 201, fate: there, things: [''] },
  update: {
    status: 200,
    fate: { ...there, fetched: { status: 200, body: { parameters: { size: 2 } } } },
    things: [''],
  },
  deprovision: { status: 200, fate: gone, things: [] },
  bind: { status: 201, fate: there, things: ['', '/b'] },
  unbind: { status: 200, fate: gone, things: [''] },
};

interface Success {
  /** Of the answer to the request that has brought it about, whoever has carried it. */
  readonly status: number;
  readonly fate: object;
  readonly things: readonly string[];
}
