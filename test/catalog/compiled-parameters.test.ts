import type { JsonObject } from '../../src/broker/json.ts';
import { requireMerged, requireParameters } from '../../src/broker/requests/parameters.ts';
import { scripted } from '../broker/core-in-memory.ts';
import { aPlan } from './folder.ts';
import { planOf, rich } from './compiled.ts';

const anyMaker = { provisioner: () => scripted({}).provisioner };

describe('Parameters', () => {
  test('Parameters in their short form are a schema of draft 04 for create and update.', async () => {
    const plan = await planOf(rich);
    const schema = {
      $schema: 'http://json-schema.org/draft-04/schema#',
      type: 'object',
      additionalProperties: false,
    };
    expect(plan.schemas).toEqual({
      service_instance: {
        create: { parameters: { ...schema, properties: rich.parameters, required: ['size'] } },
        update: {
          parameters: {
            ...schema,
            properties: {
              eviction: { type: 'string', enum: ['none', 'lru'] },
              size: { type: 'integer', minimum: 1 },
            },
          },
        },
      },
    });
    expect(plan.check.provision({})).toBe("The parameter 'size' is required.");
    expect(plan.check.provision({ size: 1 })).toBeUndefined();
    expect(plan.check.provision({ size: 1, eviction: 'all' })).toBe(
      "The parameter 'eviction' must be one of none, lru.",
    );
    expect(plan.check.update({})).toBeUndefined();
    expect(plan.check.update({ colour: 1 })).toBe(
      "There is no parameter 'colour'. There are: eviction, size.",
    );
    expect(plan.check.bind({ anything: 1 })).toBeUndefined();
  });

  test.each<[what: string, parameters: JsonObject, sentence: string]>([
    ['is missing', {}, "The parameter 'size' is required."],
    ['is too small', { size: 0 }, "The parameter 'size' must be at least 1."],
    ['is too great', { size: 9 }, "The parameter 'size' must be at most 8."],
    ['is none of the list', { size: 1, mode: 'other' }, "The parameter 'mode' must be one of none, lru."],
    ['does not match', { size: 1, label: 'A' }, "The parameter 'label' must match the pattern ^[a-z]+$."],
    ['is of another type', { size: '1' }, "The parameter 'size' must be a whole number."],
  ])('Parameters refuse a value that %s, by its name.', async (_what, parameters, sentence) => {
    const plan = await planOf({
      parameters: {
        size: { type: 'integer', minimum: 1, maximum: 8 },
        mode: { type: 'string', enum: ['none', 'lru'], default: 'none' },
        label: { type: 'string', pattern: '^[a-z]+$', default: 'a' },
      },
    });
    expect(() => requireParameters(anyMaker, plan, 'provision', parameters)).toThrow(
      expect.objectContaining({ code: 'invalid', message: sentence, field: 'parameters' }),
    );
  });

  test('Parameters that all have a default make an empty request good.', async () => {
    const plan = await planOf({
      parameters: { size: { type: 'integer', default: 0 }, on: { type: 'boolean', default: false } },
    });
    expect(plan.schemas).not.toHaveProperty('service_instance.create.parameters.required');
    expect(plan.check.provision({})).toBeUndefined();
    expect(plan.making.defaults).toEqual({ size: 0, on: false });
  });

  test('Parameters that are none refuse all, and without a word about them anything is accepted.', async () => {
    const none = await planOf({ parameters: {} });
    expect(none.check.provision({ size: 1 })).toBe("There is no parameter 'size'. None is allowed here.");
    expect(none.check.provision({})).toBeUndefined();
    const silent = await planOf({});
    expect(silent.schemas).toBeUndefined();
    expect(silent.check.provision({ size: 1 })).toBeUndefined();
  });

  test('Parameters in full schemas stand as they are, and defaults of the create schema are used.', async () => {
    const create = {
      $schema: 'http://json-schema.org/draft-06/schema#',
      type: 'object',
      properties: { a: { type: 'string', default: 'x' }, b: { type: 'integer' } },
      required: ['b'],
    };
    const bind = {
      $schema: 'http://json-schema.org/draft-04/schema#',
      type: 'object',
      properties: { role: { enum: ['reader'] } },
    };
    const schemas = {
      service_instance: { create: { parameters: create } },
      service_binding: { create: { parameters: bind } },
    };
    const plan = await planOf({ plans: [aPlan({ schemas })] });
    expect(plan.schemas).toEqual(schemas);
    expect(plan.making.defaults).toEqual({ a: 'x' });
    expect(plan.check.bind({ role: 'x' })).toBe("The parameter 'role' must be one of reader.");
  });

  test('Parameters of an update without a schema obey what the create schema says of each of them.', async () => {
    const create = {
      $schema: 'http://json-schema.org/draft-04/schema#',
      type: 'object',
      properties: { b: { type: 'integer' } },
      required: ['b'],
    };
    const plan = await planOf({ schemas: { service_instance: { create: { parameters: create } } } });
    expect(plan.check.provision({})).toBe("The parameter 'b' is required.");
    expect(requireMerged(anyMaker, plan, { b: 1 }, {})).toEqual({ b: 1 });
    expect(() => requireMerged(anyMaker, plan, { b: 1 }, { b: 'x' })).toThrow(
      "The parameter 'b' must be a whole number.",
    );
  });
});
