/** The Open Service Broker API 2.17: its routes, and everything that is strange about its wire. */
import type { Broker } from '../../broker/broker.ts';
import type { Protocol } from '../protocol.ts';
import { admitVersion } from './admit.ts';
import { catalogReply } from './catalog.ts';
import { endpoints } from './endpoints.ts';
import { errorReply } from './errors.ts';

export interface OsbSettings {
  /** For clients as old as the first brokers, which send no X-Broker-API-Version. */
  readonly acceptMissingVersion: boolean;
  /** Hears of oddities that are no reason to refuse a request, without any of the request's values. */
  readonly warn?: (message: string) => void;
}

/** Serves the broker to platforms. Every route needs a login. */
export function osb(broker: Broker, { acceptMissingVersion, warn = () => {} }: OsbSettings): Protocol {
  const on = endpoints(broker, warn);
  const instance = '/v2/service_instances/:instanceId';
  const binding = `${instance}/service_bindings/:bindingId`;
  return {
    name: 'osb',
    open: false,
    echoedHeaders: ['X-Broker-API-Request-Identity'],
    routes: [
      { method: 'GET', path: '/v2/catalog', handler: (call) => catalogReply(broker.catalog(), call.headers) },
      { method: 'PUT', path: instance, body: 'json', handler: on.provision },
      { method: 'PATCH', path: instance, body: 'json', handler: on.update },
      { method: 'DELETE', path: instance, handler: on.deprovision },
      { method: 'GET', path: instance, handler: on.fetchInstance },
      { method: 'GET', path: `${instance}/last_operation`, handler: on.lastOperation },
      { method: 'PUT', path: binding, body: 'json', handler: on.bind },
      { method: 'DELETE', path: binding, handler: on.unbind },
      { method: 'GET', path: binding, handler: on.fetchBinding },
      { method: 'GET', path: `${binding}/last_operation`, handler: on.lastOperation },
    ],
    admit: (call) => admitVersion(call.headers['x-broker-api-version'], acceptMissingVersion),
    refuse: errorReply,
  };
}
