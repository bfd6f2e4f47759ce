import type { Json, JsonObject } from '../../broker/json.ts';
import { hookContext } from '../../node/hooks/context.ts';
import { type HookResult, type HookRun, runHook } from '../../node/hooks/run.ts';
import { limitOf, type TimedStep } from '../../node/step-limits.ts';
import { NotNow } from './sequence.ts';
import type { Site } from './site.ts';

/** Does the offering have a hook for this? */
export function hasHook({ work }: Site, name: string): boolean {
  return Object.hasOwn(work.plan.operating.hooks, name);
}

/**
 * Runs the offering's hook; nothing when it has none. It has its own time, or that of its step when it says
 * nothing.
 * @returns what it told
 * @throws NotNow when it asks to be called later; Failure when it failed
 */
export async function callHook(site: Site, name: TimedStep, tries: number): Promise<JsonObject> {
  const limit = limitOf(site.work.plan.operating, name);
  const result = await askHook(site, name, tries, { limit });
  if ('again' in result) throw new NotNow(`The step ${name} asks to be tried again later.`);
  return 'outputs' in result ? result.outputs : {};
}

/** To be remembered of a hook that told something: under its name, beside what others told. */
export function keepOutputs(site: Site, name: string, told: JsonObject): { readonly keep?: JsonObject } {
  return Object.keys(told).length === 0
    ? {}
    : { keep: { outputs: { ...site.outputs, [name]: told } as Json } };
}

/** Is it up, as the hook for this says? */
export async function isUpByHook(
  site: Site,
  name: 'check_up' | 'monitor',
  atMost: number,
): Promise<HookResult> {
  return askHook(site, name, 1, { atMost });
}

async function askHook(
  site: Site,
  name: string,
  tries: number,
  limits: Pick<HookRun, 'limit' | 'atMost'>,
): Promise<HookResult> {
  const { node, work, directory, roots } = site;
  const hook = work.plan.operating.hooks[name];
  if (!hook) return { outputs: {} };
  return runHook(node, {
    hook,
    name,
    instanceId: work.instance.id,
    directory,
    context: hookContext(work, roots, name, tries),
    values: roots,
    ...limits,
    redact: work.redact,
    signal: work.signal,
  });
}
