import { type Asked, ofInstance } from '../ask.ts';
import type { Action, Target } from './actions.ts';

/** As the operator API is asked for it. @param form what was typed */
export function askedOf({ confirms, verb }: Action, target: Target, form: URLSearchParams): Asked {
  const { instance, binding, operation, node, provisioner, name, run, authority, action } = target;
  if (verb === 'instances adopt') return adoptionOf(target, form);
  if (verb === 'orphans remove') return { body: { provisioner, node, name } };
  if (run !== undefined) return { params: { run }, body: {} };
  if (authority !== undefined)
    return { params: { generation: authority }, body: { signs_after: daysIn(form.get('signs_after')) } };
  if (operation !== undefined) return { params: { operationId: operation }, body: {} };
  if (instance === undefined) return { params: { node: node ?? '' } };
  const of = ofInstance(instance);
  if (action !== undefined)
    return {
      params: { ...of.params, action },
      query: { instance_id: instance },
      body: { parameters: jsonIn(form.get('parameters')) },
    };
  const once = confirms === undefined ? {} : { confirm: form.get('confirm') ?? '' };
  const query = { instance_id: instance, binding_id: binding, ...once };
  return { params: { ...of.params, bindingId: '-' }, query, body: {} };
}

const dayMs = 86_400_000;

/** In milliseconds. What is no number is refused as the API refuses it. */
function daysIn(said: string | null): number | string {
  const days = said?.trim() ?? '';
  return /^\d{1,4}(\.\d{1,3})?$/.test(days) ? Math.round(Number(days) * dayMs) : days;
}

/** What is no JSON is refused as the API refuses it. */
function jsonIn(said: string | null): unknown {
  if (!said?.trim()) return undefined;
  try {
    return JSON.parse(said);
  } catch {
    return said;
  }
}

function adoptionOf({ name, node }: Target, form: URLSearchParams): Asked {
  const { id = '', offering, plan, organization_guid, space_guid } = Object.fromEntries(form);
  const whose = { organization_guid: organization_guid || undefined, space_guid: space_guid || undefined };
  return { ...ofInstance(id), body: { thing: name, node, offering, plan, ...whose } };
}
