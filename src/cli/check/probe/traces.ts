import { isObject } from '../../../broker/json.ts';
import { endpointOf } from './endpoint.ts';
import { isText, objectsIn, type Market } from './market.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

/** An instance or binding that may be at the broker because it was asked for. */
export interface TracedThing {
  /** As it stands in requests. */
  readonly path: string;
  /** The plans by which it may be known, the likeliest first. */
  readonly plans: readonly PlanPair[];
  /** False: the broker has refused to make it, so it should not be there. */
  readonly accepted: boolean;
}

export interface PlanPair {
  readonly service_id: string;
  readonly plan_id: string;
}

/** Everything that was asked for and is not known to be gone. */
export interface Traces {
  /** To be told before a request is sent: it may be carried out without an answer. */
  asked(request: WireRequest): void;
  answered(request: WireRequest, answer: WireAnswer): void;
  /** It is known not to be there. */
  forget(path: string): void;
  /** Bindings before their instances, the newest first. */
  all(): readonly TracedThing[];
}

export function openTraces(market: Market): Traces {
  const things = new Map<string, TracedThing>();
  const ours = { service_id: market.serviceId, plan_id: market.planId };

  function asked(request: WireRequest): void {
    if (!/^(put|patch) (instance|binding)$/.test(endpointOf(request))) return;
    const known = things.get(request.path);
    if (!known && request.method === 'PATCH') return;
    const named = pairIn(request, market) ?? ours;
    const plans = [...(known?.plans ?? []), named, ours];
    things.set(request.path, {
      path: request.path,
      plans: plans.filter((one, index) => index === plans.findIndex((other) => isSamePair(one, other))),
      accepted: known?.accepted ?? true,
    });
  }

  function answered(request: WireRequest, { status }: WireAnswer): void {
    const endpoint = endpointOf(request);
    const known = things.get(request.path);
    if (endpoint === 'put instance' || endpoint === 'put binding') {
      const refused = status >= 400 && status < 500;
      if (known) things.set(request.path, { ...known, accepted: !refused || wasAccepted.has(request.path) });
      if (!refused) wasAccepted.add(request.path);
    }
    const isDelete = endpoint === 'delete instance' || endpoint === 'delete binding';
    if (isDelete && (status === 200 || status === 410)) forget(request.path);
  }

  const wasAccepted = new Set<string>();
  function forget(path: string): void {
    wasAccepted.delete(path);
    things.delete(path);
  }

  return {
    asked,
    answered,
    forget,
    all() {
      const isBinding = ({ path }: TracedThing) => path.includes('/service_bindings/');
      const newest = [...things.values()].toReversed();
      return [...newest.filter(isBinding), ...newest.filter((one) => !isBinding(one))];
    },
  };
}

/** Only a pair that is sold can be the one by which something was made. */
function pairIn({ body }: WireRequest, { services }: Market): PlanPair | undefined {
  if (!isObject(body)) return undefined;
  const { service_id, plan_id } = body;
  const service = services.find((one) => one['id'] === service_id);
  const plan = objectsIn(service?.['plans']).find((one) => one['id'] === plan_id);
  return plan && isText(service_id) && isText(plan_id) ? { service_id, plan_id } : undefined;
}

function isSamePair(one: PlanPair, other: PlanPair): boolean {
  return one.service_id === other.service_id && one.plan_id === other.plan_id;
}
