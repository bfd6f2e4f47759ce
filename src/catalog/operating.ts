import type { Hook, Making, Dependency, Operating } from '../broker/catalog.ts';
import type { Json } from '../broker/json.ts';
import { expressionsIn, render } from '../broker/template.ts';
import { type RestartCause, restartCauses } from '../broker/units.ts';
import { secondsOf } from './duration.ts';
import { type LimitsFile, readLimits } from './limits.ts';
import { mapValues } from './map-values.ts';
import type { OfferingFile, PerPlan } from './form/offering-file.ts';

/** What a definition says of running things; times in seconds. What is as it is by default is left out. */
export interface StoredOperating {
  readonly cost?: number | undefined;
  readonly timeouts?: Readonly<Record<string, number>> | undefined;
  readonly monitor?:
    | {
        readonly every?: number | undefined;
        readonly restart?: number | undefined;
        readonly within?: number | undefined;
        readonly restartOn?: readonly string[] | undefined;
      }
    | undefined;
  readonly hooks?: Readonly<Record<string, StoredHook>> | undefined;
  readonly requiresOfferings?: OfferingFile['requires_offerings'] | undefined;
  readonly maxInstances?: number | undefined;
  readonly limits?: LimitsFile | undefined;
  readonly tls?: true | undefined;
}

interface StoredHook {
  readonly run: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly once?: boolean | undefined;
  readonly timeout?: number | undefined;
}

/** What an offering's file says, for the definition of one of its plans. */
export function storedOperating(
  offering: OfferingFile,
  cost = 1,
  { limits = {}, tls = false }: Pick<PerPlan, 'limits' | 'tls'> = {},
): StoredOperating {
  const { timeouts = {}, monitor = {}, hooks = {}, requires_offerings: needs = {} } = offering;
  return {
    cost,
    timeouts: ifAny(mapValues(timeouts, secondsOf)),
    monitor: ifAny({
      every: unless(seconds(monitor.every), usual.every),
      restart: unless(monitor.restart, usual.restart),
      within: unless(seconds(monitor.within), usual.within),
      restartOn: monitor.restart_on?.length ? monitor.restart_on.toSorted() : undefined,
    }),
    hooks: ifAny(
      mapValues(hooks, ({ run, env = {}, once = false, timeout }): StoredHook => {
        return { run, env: ifAny(env), once, timeout: seconds(timeout) };
      }),
    ),
    requiresOfferings: ifAny(needs),
    maxInstances: offering.max_instances,
    limits: ifAny(limits),
    tls: tls || undefined,
  };
}

/** The same as it is meant, in milliseconds. @param stored of this version or one before; it may be missing */
export function operatingOf(stored: StoredOperating | undefined, making: Making): Operating {
  const { cost = 1, timeouts = {}, monitor = {}, hooks = {}, requiresOfferings = {} } = stored ?? {};
  const { every = usual.every, restart = usual.restart, within = usual.within, restartOn } = monitor;
  return {
    cost,
    executables: executablesOf(making),
    timeouts: mapValues(timeouts, milliseconds),
    monitor: {
      every: milliseconds(every),
      restart,
      within: milliseconds(within),
      restartOn: restartOn && restartOn.filter(isRestartCause),
    },
    hooks: mapValues(hooks, ({ run, env = {}, once = false, timeout }): Hook => {
      return { run, env, once, timeout: timeout === undefined ? undefined : milliseconds(timeout) };
    }),
    dependencies: mapValues(requiresOfferings, (need): Dependency => ({ parameters: {}, ...need })),
    maxInstances: stored?.maxInstances === undefined ? undefined : stored.maxInstances,
    limits: readLimits(stored?.limits ?? {}, making.settings).limits,
    tls: stored?.tls,
  };
}

/** The defaults of the offering file; times in seconds. */
const usual = { every: 10, restart: 3, within: 600 };

/** One that a later version has stored may name others. */
function isRestartCause(name: string): name is RestartCause {
  return (restartCauses as readonly string[]).includes(name);
}

/** The names in `needs`. What the plan fixes is filled in; lint lets nothing else stand there. */
function executablesOf({ config, settings }: Making): readonly string[] {
  const needs = config['needs'];
  if (needs === undefined || expressionsIn(needs).some(({ path }) => path[0] !== 'plan')) return [];
  const names = render(needs, { plan: settings });
  return isNames(names) ? names : [];
}

function isNames(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function seconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : secondsOf(duration);
}

function milliseconds(time: number): number {
  return time * 1000;
}

function unless(value: number | undefined, isDefault: number): number | undefined {
  return value === isDefault ? undefined : value;
}

function ifAny<Value extends object>(value: Value): Value | undefined {
  return Object.values(value).some((member) => member !== undefined) ? value : undefined;
}
