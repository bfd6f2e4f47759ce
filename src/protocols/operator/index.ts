/** For those who run brokers and nodes: what there is, how it is, and what can be done about it. */
import type { AuthorityOffice } from '../../broker/nodes.ts';
import type { OperatorView } from '../../broker/operator-view.ts';
import type { Login, Protocol } from '../protocol.ts';
import { auditEndpoint } from './audit.ts';
import { authorityEndpoints } from './authorities.ts';
import { endpoints, type Operated } from './endpoints.ts';
import { errorReply } from './errors.ts';

export interface OperatorSettings {
  readonly authorities: AuthorityOffice;
  /** Platforms have others: neither can do what the other may. */
  readonly logins: readonly Login[];
  /** The node that this broker is; absent: none. */
  readonly node?: string | undefined;
}

/** Serves operators, and other brokers that ask for what only this node can do. Every route needs their login. */
export function operator(
  broker: Operated,
  overview: OperatorView,
  { authorities, logins, node }: OperatorSettings,
): Protocol {
  const on = endpoints(broker, overview, node);
  const office = authorityEndpoints(authorities);
  const instance = '/operator/instances/:instanceId';
  return {
    name: 'operator',
    open: false,
    realm: { name: 'Operator', logins: () => logins },
    routes: [
      { method: 'GET', path: '/operator/nodes', handler: on.nodes },
      { method: 'POST', path: '/operator/nodes/:node/drain', handler: on.drain },
      { method: 'POST', path: '/operator/nodes/:node/undrain', handler: on.undrain },
      { method: 'POST', path: '/operator/nodes/:node/forget', handler: on.forget },
      { method: 'POST', path: '/operator/nodes/:node/abandon', handler: on.abandon },
      { method: 'GET', path: '/operator/offerings', handler: on.offerings },
      { method: 'GET', path: '/operator/instances', handler: on.instances },
      { method: 'GET', path: '/operator/operations', handler: on.operations },
      { method: 'GET', path: instance, handler: on.instance },
      { method: 'POST', path: `${instance}/actions/start`, body: 'json', handler: on.start },
      { method: 'POST', path: `${instance}/actions/stop`, body: 'json', handler: on.stop },
      { method: 'POST', path: `${instance}/actions/restart`, body: 'json', handler: on.restart },
      { method: 'POST', path: `${instance}/actions/recreate`, body: 'json', handler: on.recreate },
      { method: 'POST', path: `${instance}/actions/upgrade`, body: 'json', handler: on.upgrade },
      { method: 'DELETE', path: instance, handler: on.removeInstance },
      { method: 'DELETE', path: `${instance}/bindings/:bindingId`, handler: on.removeBinding },
      { method: 'POST', path: `${instance}/exec`, body: 'json', handler: on.exec },
      { method: 'GET', path: `${instance}/log`, handler: on.log },
      { method: 'GET', path: '/operator/orphans', handler: on.orphans },
      { method: 'POST', path: '/operator/orphans/remove', body: 'json', handler: on.removeOrphan },
      { method: 'GET', path: '/operator/authorities', handler: office.list },
      { method: 'PUT', path: '/operator/authorities/:generation', body: 'json', handler: office.renew },
      { method: 'GET', path: '/operator/audit', handler: auditEndpoint(overview) },
    ],
    refuse: errorReply,
  };
}
