import type { Response } from 'supertest';
import type { WholeBroker } from '../support/whole-broker.ts';
import type { Asked, Plan } from './model-state.ts';

/** Sends the request of the model, for an instance with this plan, as a platform does. */
export function send(broker: WholeBroker, asked: Asked, plan: Plan): Promise<Response> {
  const { what, id, binding, app, size, later } = asked;
  const { service_id, plan_id } = plan;
  const instance = `/v2/service_instances/${id}`;
  const bound = `${instance}/service_bindings/${binding}`;
  const incomplete: Record<string, string> = later ? { accepts_incomplete: 'true' } : {};
  const parameters = size === undefined ? {} : { parameters: { size } };
  const where = { organization_guid: 'o', space_guid: 's' };
  switch (what) {
    case 'provision':
      return broker.ask('put', instance, {
        query: incomplete,
        body: { service_id, plan_id, ...where, ...parameters },
      });
    case 'update':
      return broker.ask('patch', instance, {
        query: incomplete,
        body: { service_id, ...(asked.plan ? { plan_id } : {}), ...parameters },
      });
    case 'bind':
      return broker.ask('put', bound, { query: incomplete, body: { service_id, plan_id, app_guid: app } });
    case 'unbind':
    case 'deprovision':
      return broker.ask('delete', what === 'unbind' ? bound : instance, {
        query: { ...incomplete, service_id, plan_id },
      });
    case 'fetch':
      return broker.ask('get', instance);
    case 'fetch binding':
      return broker.ask('get', bound);
    case 'poll':
      return broker.ask('get', `${instance}/last_operation`);
    case 'poll binding':
      return broker.ask('get', `${bound}/last_operation`);
  }
}

/** The answer as the model says it. */
export function wordsOf({ what }: Asked, { status, body }: Response): string {
  const { error, state, plan_id, parameters } = body as Told;
  const shown = what === 'fetch' && status === 200 ? [plan_id, parameters?.size] : [error ?? state];
  return [status, ...shown].filter((word) => word !== undefined).join(' ');
}

interface Told {
  readonly error?: string;
  readonly state?: string;
  readonly plan_id?: string;
  readonly parameters?: { readonly size?: number };
}
