import type { RequestContext } from './context.ts';
import type { ServicePlan } from '../catalog.ts';
import type { ServiceInstance } from '../records.ts';
import { describeState } from '../state.ts';
import { renderKnown } from '../template.ts';
import { needsFacts, templateValues } from '../template-values.ts';

/**
 * Where the dashboard of an instance is, when that is known only once it is made. `none`: there is no such instance,
 * or it has no such dashboard. `not there`: the instance is being made, or is at rest.
 */
export type Dashboard = 'none' | 'not there' | { readonly address: string };

/** For everybody who asks: nothing but the address is told. */
export async function findDashboard(core: RequestContext, instanceId: string): Promise<Dashboard> {
  const found = await core.store.findInstance(instanceId);
  const state = describeState(found);
  if (!found || ['failed', 'lost', 'deprovisioning'].includes(state)) return 'none';
  const { instance } = found;
  const plan = await core.planOf(instance);
  const { dashboard } = plan.making.answer;
  if (dashboard === undefined || !needsFacts(dashboard)) return 'none';
  if (!instance.ready || instance.stopped) return 'not there';
  const address = addressOf(dashboard, plan, instance, core.settings.url);
  return address === undefined ? 'not there' : { address };
}

/** What the first answer says in its place: an address of the broker that leads there when it exists. */
export function addressUntilMade(instance: Pick<ServiceInstance, 'id'>, url: string): string {
  return `${url}/dashboard/${encodeURIComponent(instance.id.toWellFormed())}`;
}

/** Undefined where it comes to no address of the web: a browser is sent nowhere else. */
function addressOf(
  template: string,
  plan: ServicePlan,
  instance: ServiceInstance,
  url: string,
): string | undefined {
  // Not known is what the hook tells now, of an instance that was made before it did.
  const rendered = renderKnown(template, templateValues(plan, instance, undefined, url));
  const address = typeof rendered === 'string' && URL.canParse(rendered) ? new URL(rendered) : undefined;
  if (!address || !/^https?:$/.test(address.protocol)) return undefined;
  // Whoever asks would have a login in it.
  return address.username || address.password ? undefined : address.href;
}
