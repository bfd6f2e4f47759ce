import type { JsonObject } from '../../broker/json.ts';
import { quotaScopes } from '../../broker/policies.ts';
import { restartCauses } from '../../broker/units.ts';
import { durationSchema, environmentName, hookNames, textSchema, thing, yesNo } from './schema-words.ts';

/** By name, each as a short JSON Schema. */
export const parameters: JsonObject = {
  type: 'object',
  propertyNames: { $ref: '#/definitions/name' },
  additionalProperties: { $ref: '#/definitions/parameter' },
};

const program: JsonObject = {
  run: { type: 'array', items: textSchema, minItems: 1 },
  env: {
    type: 'object',
    propertyNames: environmentName,
    additionalProperties: { type: 'string' },
    default: {},
  },
};

const hook = thing({ ...program, once: { ...yesNo, default: false }, timeout: durationSchema }, ['run']);

/** It comes once in an instance's life anyway: `once` would say nothing, or something wrong. */
const onceHook = thing({ ...program, timeout: durationSchema }, ['run']);

const prove = thing(
  { ...program, revoked: { ...yesNo, default: true }, timeout: { ...durationSchema, default: '30s' } },
  ['run'],
);

const monitor = thing({
  every: { ...durationSchema, default: '10s' },
  restart: { type: 'integer', minimum: 0, default: 3 },
  within: { ...durationSchema, default: '10m' },
  restart_on: { type: 'array', items: { enum: [...restartCauses] }, uniqueItems: true, default: [] },
});

const quotaAmounts = thing({
  instances: { type: 'integer', minimum: 0 },
  cost: { type: 'number', minimum: 0 },
});

/** Of an offering, and of a plan. */
export const backup = thing({
  every: durationSchema,
  keep: thing({ count: { type: 'integer', minimum: 1 }, for: durationSchema }),
});

/** Of an offering, and of a plan. */
export const quota: JsonObject = {
  type: 'object',
  propertyNames: { enum: [...quotaScopes], title: quotaScopes.join(', ') },
  additionalProperties: quotaAmounts,
};

const actionName: JsonObject = {
  type: 'string',
  pattern: '^[a-z][a-z0-9-]{0,49}$',
  title: 'small letters, digits and -, a letter first',
};

/** What operators can have done with instances. */
const actions: JsonObject = {
  type: 'object',
  propertyNames: actionName,
  additionalProperties: thing(
    {
      description: textSchema,
      parameters,
      renews: { type: 'array', items: textSchema, uniqueItems: true, default: [] },
    },
    ['description'],
  ),
};

/** What an offering says of running things: when, how long, how watched and by which programs of its own. */
export const runningKeys: JsonObject = {
  timeouts: thing(Object.fromEntries(hookNames.map((step) => [step, durationSchema]))),
  monitor,
  hooks: thing(Object.fromEntries(hookNames.map((step) => [step, step === 'once_ready' ? onceHook : hook]))),
  prove,
  actions,
};
