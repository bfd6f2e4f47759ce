// What exists already and becomes an instance.
import type { Broker } from '../../../broker/broker.ts';
import type { Adopt } from '../../../broker/commands.ts';
import type { Call, Handler } from '../../protocol.ts';
import { ofInstance } from '../list-queries.ts';
import { acted } from '../replies.ts';
import { commandOf } from '../requests.ts';
import type { OperatorRoute } from '../route.ts';
import { requireAdoptBody } from '../shapes.ts';
import { adoptBody } from '../wire/actions.ts';
import { actionAnswer } from '../wire/operations.ts';

/** The part of the table of routes that is of adoption. */
export const adoptRoutes = {
  'instances adopt': {
    method: 'POST',
    path: '/operator/instances/:instanceId/adopt',
    summary: 'Makes an instance, of this id, of something that exists already.',
    query: ofInstance,
    body: adoptBody,
    answers: { 200: actionAnswer, 202: actionAnswer },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;

export type Adopter = Pick<Broker, 'adopt'>;

export function adoptEndpoints(broker: Adopter) {
  return {
    'instances adopt': async (call) => acted(await broker.adopt(readAdopt(call))),
  } satisfies Readonly<Record<string, Handler>>;
}

function readAdopt(call: Call): Adopt {
  const { organization_guid, space_guid, parameters = {}, ...said } = requireAdoptBody(call.body ?? {});
  return {
    ...commandOf(call),
    ...said,
    parameters,
    organizationGuid: organization_guid,
    spaceGuid: space_guid,
  };
}
