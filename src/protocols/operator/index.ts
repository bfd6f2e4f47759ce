/** For those who run brokers and nodes: what there is, how it is, and what can be done about it. */
import { Refusal } from '../../broker/errors.ts';
import type { Offices } from '../../broker/offices/index.ts';
import type { OperatorView } from '../../broker/operator-view.ts';
import {
  BadCall,
  type Call,
  type FurtherLogins,
  type Handler,
  type Login,
  type Protocol,
  type Realm,
  type Route,
} from '../protocol.ts';
import { endpoints, type Here, type Operated } from './endpoints.ts';
import { errorReply } from './errors.ts';
import type { OperatorRoute } from './route.ts';
import { operatorRoutes, type OperatorVerb } from './routes.ts';

export interface OperatorSettings {
  readonly offices: Offices;
  /** Platforms have others: neither can do what the other may. */
  readonly logins: readonly Login[];
  /** Who is let in beside them; who may only read is refused what changes something. */
  readonly further?: FurtherLogins;
  /** The node that this broker is; absent: none. */
  readonly node?: string | undefined;
}

/** Serves operators, and other brokers that ask for what only this node can do. Every route needs their login. */
export function operator(
  broker: Operated,
  overview: OperatorView,
  { offices, logins, further, node }: OperatorSettings,
): Protocol {
  const on = operatorHandlers(broker, overview, { offices, node });
  const routes: readonly (readonly [string, OperatorRoute])[] = Object.entries(operatorRoutes);
  return {
    name: 'operator',
    open: false,
    realm: operatorRealm(logins, further),
    routes: routes.map(([verb, route]) => routeOf(route, on[verb as OperatorVerb])),
    admit: requireMayChange,
    refuse: errorReply,
  };
}

/** Before the body is read. */
export function requireMayChange({ method, readsOnly, principal = '' }: Omit<Call, 'body'>): void {
  if (!readsOnly || method === 'GET') return;
  throw new BadCall(403, `The user ${principal} has the role viewer, which may read and change nothing.`);
}

export function operatorRealm(logins: readonly Login[], further?: FurtherLogins): Realm {
  return { name: 'Operator', logins: () => logins, ...further };
}

function routeOf({ method, path, body }: OperatorRoute, handler: Handler): Route {
  return { method, path, ...(body && { body: 'json' }), handler };
}

export type OperatorHandlers = Readonly<Record<OperatorVerb, Handler>>;

/** What answers each thing that an operator can ask, whoever passes it on: the API, or a page. */
export function operatorHandlers(broker: Operated, overview: OperatorView, here: Here): OperatorHandlers {
  const on = endpoints(broker, overview, here);
  const verbs = Object.keys(operatorRoutes) as OperatorVerb[];
  return Object.fromEntries(
    verbs.map((verb) => [verb, knowing(operatorRoutes[verb], on[verb])]),
  ) as OperatorHandlers;
}

function knowing({ query = {} }: OperatorRoute, handler: Handler): Handler {
  return (call) => {
    for (const name of call.query.keys()) requireKnown(name, query);
    return handler(call);
  };
}

/** A filter that is spelt wrong must not give everything. */
function requireKnown(name: string, query: NonNullable<OperatorRoute['query']>): void {
  if (Object.hasOwn(query, name)) return;
  const field = name.toWellFormed().slice(0, 100);
  const known = Object.keys(query).join(', ');
  const instead = known === '' ? 'no parameter is' : `known are ${known}`;
  throw new Refusal('invalid', `${field} is not known in the query here: ${instead}.`, field);
}
