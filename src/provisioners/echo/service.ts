import { Refusal } from '../../broker/errors.ts';
import type { Store } from '../../broker/store.ts';
import { BadCall } from '../../protocols/protocol.ts';
import type { Call, DashboardPage, Protocol, Reply } from '../../protocols/protocol.ts';
import { answerTo } from './answer.ts';
import { dashboardReply } from './dashboard.ts';
import { findEchoFacts } from './facts.ts';
import type { EchoFacts } from './facts.ts';
import { excerpt, readMessage } from './message.ts';
import type { Messages } from './messages.ts';
import { readToken, sameToken, tokenNames } from './tokens.ts';

export interface EchoServiceSettings {
  readonly store: () => Pick<Store, 'findInstance' | 'findBinding'>;
  readonly messages: () => Messages;
}

/**
 * What applications use: `POST /services/echo/<instance>/<binding>` with the binding's token, as Bearer or in the
 * address, and `{"message": ...}`.
 */
export function echoService({ store, messages }: EchoServiceSettings): Protocol {
  return {
    name: 'echo',
    open: true,
    admit: requireJson,
    refuse,
    routes: [
      {
        method: 'POST',
        path: '/services/echo/:instanceId/:bindingId',
        body: 'json',
        handler: (call) => post(call, { store, messages }),
      },
    ],
  };
}

async function post(call: Call, { store, messages }: EchoServiceSettings): Promise<Reply> {
  const { instanceId = '', bindingId = '' } = call.params;
  const facts = await requireBinding(call, store);
  const message = readMessage(call.body);
  const response = answerTo(message, facts.answer);
  const text = excerpt(message);
  const kept = await messages().add({ instanceId, bindingId, text, keep: facts.keep });
  if (!kept) throw unauthorized();
  return { status: 200, headers: { 'cache-control': 'no-store' }, body: { response } };
}

/** Unknown, unbound, of another binding or simply wrong: all get one answer, so nobody can look for ids. */
async function requireBinding(call: Call, store: EchoServiceSettings['store']): Promise<EchoFacts> {
  const { instanceId = '', bindingId = '' } = call.params;
  const { found, binding } = await store().findBinding(instanceId, bindingId);
  const facts = findEchoFacts(found?.instance);
  const token = binding?.ready ? binding.confidential.secrets[tokenNames.binding] : undefined;
  if (!sameToken(readToken(call), token) || !facts) throw unauthorized();
  return facts;
}

/** The page of an instance, for who has its token: of all others nothing is known here. */
export function echoPage({ store, messages }: EchoServiceSettings): DashboardPage {
  return async (call) => {
    const { instanceId = '' } = call.params;
    const given = readToken(call);
    if (given === '') return undefined;
    const instance = (await store().findInstance(instanceId))?.instance;
    const facts = findEchoFacts(instance);
    const token = instance?.confidential.secrets[tokenNames.instance];
    if (!sameToken(given, token) || !instance || !facts) return undefined;
    return dashboardReply(instance, facts, await messages().summarize(instanceId, 50));
  };
}

function requireJson({ method, headers }: Omit<Call, 'body'>): void {
  if (method !== 'POST') return;
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new BadCall(415, 'The content type must be application/json.');
}

function unauthorized(): BadCall {
  return new BadCall(401, 'This needs the token of a binding that exists.', { 'www-authenticate': 'Bearer' });
}

function refuse(error: unknown): Reply {
  if (error instanceof BadCall) return errorReply(error.status, error.message, error.headers);
  if (error instanceof Refusal && error.code === 'unavailable') return errorReply(503, error.message);
  return errorReply(500, 'Something went wrong here. Please tell the operator.');
}

function errorReply(status: number, description: string, headers: Reply['headers'] = {}): Reply {
  return { status, headers: { 'cache-control': 'no-store', ...headers }, body: { description } };
}
