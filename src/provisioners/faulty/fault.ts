import { isObject } from '../../broker/json.ts';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { OperationKind } from '../../broker/records.ts';

/** What goes wrong with one operation; times in milliseconds. */
export interface Fault {
  /** A single step lasts as long as this. */
  readonly takes: number;
  /** So many steps before the last, with a pause of `each` after every one. */
  readonly steps: number;
  readonly each: number;
  /** Step follows step until the deadline. */
  readonly never: boolean;
  /** Fails for good with this sentence, before anything is made or removed. */
  readonly fails: string | undefined;
  /** Only the first operation of its kind on an instance fails so. */
  readonly onlyFirst: boolean;
  readonly failsAfterMaking: string | undefined;
  /** Every try breaks unexpectedly. */
  readonly throws: string | undefined;
  /** So many tries break unexpectedly, the next one works. */
  readonly failsTimes: number;
  /** The first try breaks when everything is made, before it could be told. */
  readonly crashAfterMaking: boolean;
  readonly instanceUsable: boolean | undefined;
  readonly updateRepeatable: boolean | undefined;
}

/** @param settings a plan's `with` that fits `faultSchema`. */
export function readFault(settings: JsonObject, kind: OperationKind): Fault {
  const said = isObject(settings[kind]) ? settings[kind] : {};
  return {
    takes: milliseconds(said['takes'], 0),
    steps: numberOf(said['steps']),
    each: milliseconds(said['each'], 1000),
    never: said['never'] === true,
    onlyFirst: said['only_first'] === true,
    failsTimes: numberOf(said['fails_times']),
    crashAfterMaking: said['crash_after_making'] === true,
    fails: textOf(said['fails']),
    failsAfterMaking: textOf(said['fails_after_making']),
    throws: textOf(said['throws']),
    instanceUsable: flagOf(said['instance_usable']),
    updateRepeatable: flagOf(said['update_repeatable']),
  };
}

const duration = { type: 'string', pattern: '^[0-9]+(ms|s|m)$' };
const text = { type: 'string', minLength: 1 };
const yes = { type: 'boolean' };

const anywhere = {
  takes: duration,
  steps: { type: 'integer', minimum: 1, maximum: 1000 },
  each: duration,
  never: yes,
  fails: text,
  throws: text,
  fails_times: { type: 'integer', minimum: 1 },
};
const whereMade = { fails_after_making: text, crash_after_making: yes };
// Undoing a provision forgets all of the instance, also that it has failed once.
const whereRemembered = { only_first: yes };

/** Of a plan's `with`. */
export const faultSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    provision: closed({ ...anywhere, ...whereMade }),
    update: closed({
      ...anywhere,
      ...whereMade,
      ...whereRemembered,
      instance_usable: yes,
      update_repeatable: yes,
    }),
    deprovision: closed({ ...anywhere, ...whereRemembered }),
    bind: closed({ ...anywhere, ...whereMade, ...whereRemembered }),
    unbind: closed({ ...anywhere, ...whereRemembered }),
  },
};

function closed(properties: JsonObject): JsonObject {
  return { type: 'object', additionalProperties: false, properties };
}

function milliseconds(value: Json | undefined, otherwise: number): number {
  const [, digits, unit] = (typeof value === 'string' && /^([0-9]+)(ms|s|m)$/.exec(value)) || [];
  if (digits === undefined) return otherwise;
  return Number(digits) * (unit === 'm' ? 60_000 : unit === 's' ? 1000 : 1);
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function flagOf(value: Json | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}
