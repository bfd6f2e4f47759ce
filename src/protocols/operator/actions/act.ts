// What an offering declares that operators can have done with its instances.
import type { Broker } from '../../../broker/broker.ts';
import type { Act } from '../../../broker/commands.ts';
import type { Call, Handler } from '../../protocol.ts';
import { ofInstance } from '../list-queries.ts';
import { acted } from '../replies.ts';
import { commandOf } from '../requests.ts';
import type { OperatorRoute } from '../route.ts';
import { requireAskedBody } from '../shapes.ts';
import { askedBody } from '../wire/actions.ts';
import { actionAnswer } from '../wire/operations.ts';

/** The part of the table of routes that is of declared actions. It comes after those of the same form with a fixed name. */
export const actionRoutes = {
  'instances action': {
    method: 'POST',
    path: '/operator/instances/:instanceId/actions/:action',
    summary: 'Has done what the offering of an instance declares.',
    query: ofInstance,
    body: askedBody,
    answers: { 200: actionAnswer, 202: actionAnswer },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;

export type Actor = Pick<Broker, 'act'>;

export function actionEndpoints(broker: Actor) {
  return {
    'instances action': async (call) => acted(await broker.act(readAct(call))),
  } satisfies Readonly<Record<string, Handler>>;
}

function readAct(call: Call): Act {
  const { parameters = {} } = requireAskedBody(call.body ?? {});
  return { ...commandOf(call), action: call.params['action'] ?? '', parameters };
}
