import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/broker/json.ts';
import { generationC, generationD, type Generation } from './clients.ts';
import { tsuruCloud } from './tsuru-cloud.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** Parameters of instances, as forms and as JSON, by create and by update. */

const catalogDir = scratchDirectory('tsuru');
const schema = `
          parameters:
            $schema: http://json-schema.org/draft-07/schema#
            type: object
            additionalProperties: false
            definitions:
              count: { type: integer, minimum: 0 }
              flag: { enum: [true, false] }
            properties:
              size: { $ref: '#/definitions/count' }
              limit: { allOf: [{ $ref: '#/definitions/count' }, { maximum: 100 }] }
              backup: { anyOf: [{ $ref: '#/definitions/flag' }, { const: auto }] }
              level: { enum: [1, 2, 3] }
              version: { const: 7 }
              label: { type: string }
              zones: { type: array, items: { $ref: '#/definitions/count' } }
              tuning: { type: object, additionalProperties: { $ref: '#/definitions/count' } }`;
const fixed = schema.replace(/ +level: .*\n/, '').replace(/ +version: .*\n/, '');
writeFileSync(
  join(catalogDir, 'typed.yaml'),
  `
id: typed-0001
name: typed
description: Parameters of all types
instances_retrievable: true
plan_updateable: true
bindable: false
provisioner: faulty
plans:
  - id: typed-0002
    name: plain
    description: All may be changed but level and version
    schemas:
      service_instance:
        create:${schema}
        update:${fixed}
`,
);
const cloud = tsuruCloud({ CATALOG_DIR: catalogDir });
const { ask, settled } = cloud;

/** As another platform reads them. */
async function parametersOf(name: string): Promise<JsonObject | undefined> {
  const answer = await cloud.brokers()[0]?.ask('get', `/v2/service_instances/tsuru.typed.${name}`);
  expect(answer).toMatchObject({ status: 200 });
  return (answer?.body as { parameters?: JsonObject } | undefined)?.parameters;
}

async function contextOf(name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { rows } = await cloud
    .database()
    .pool.query<{ context: Readonly<Record<string, unknown>> }>(
      'select context from service_instances where id = $1',
      [`tsuru.typed.${name}`],
    );
  return rows[0]?.context;
}

const all: JsonObject = {
  size: 5,
  limit: 7,
  backup: true,
  level: 2,
  version: 7,
  label: '5',
  zones: [1, 2],
  tuning: { depth: 3 },
};

const generations: readonly (readonly [name: string, Generation])[] = [
  ['the tsuru of 2019 to 2023, by forms', generationC],
  ['the tsuru of today, by JSON', generationD],
];

describe.each(generations)('With %s', (label, generation) => {
  const client = generation(ask, 'typed');
  const prefix = label.includes('JSON') ? 'json' : 'form';

  test('Parameters of every type arrive as they are, by create and by update.', async () => {
    await client.create(`${prefix}1`, { parameters: all });
    expect(await settled('typed', `${prefix}1`)).toMatchObject({ status: 204 });
    expect(await parametersOf(`${prefix}1`)).toEqual(all);
    const changed = { ...all, size: 6, backup: 'auto', zones: [3], label: 'true' };
    await client.update?.(`${prefix}1`, { parameters: changed });
    expect(await parametersOf(`${prefix}1`)).toEqual(changed);
  });

  test('What the user typed is text, and arrives as what the plan asks for.', async () => {
    const typed = {
      size: '5',
      backup: 'false',
      level: '3',
      label: '7',
      tuning: { depth: '1' },
      zones: '[1,2]',
    };
    await client.create(`${prefix}2`, { parameters: typed });
    expect(await settled('typed', `${prefix}2`)).toMatchObject({ status: 204 });
    expect(await parametersOf(`${prefix}2`)).toEqual({
      size: 5,
      backup: false,
      level: 3,
      label: '7',
      tuning: { depth: 1 },
      zones: [1, 2],
    });
    await client.update?.(`${prefix}2`, { parameters: { ...typed, size: '8' } });
    expect(await parametersOf(`${prefix}2`)).toMatchObject({ size: 8, level: 3 });
  });

  test('A parameter that is not sent any more goes, the last one too.', async () => {
    await client.create(`${prefix}3`, { parameters: { size: 5, label: 'x' } });
    expect(await settled('typed', `${prefix}3`)).toMatchObject({ status: 204 });
    await client.update?.(`${prefix}3`, { parameters: { label: 'x' } });
    expect(await parametersOf(`${prefix}3`)).toEqual({ label: 'x' });
    await client.update?.(`${prefix}3`, { parameters: {} });
    expect(await parametersOf(`${prefix}3`)).toEqual({});
    await client.update?.(`${prefix}3`, { parameters: { size: 1 } });
    await client.update?.(`${prefix}3`, {});
    expect(await parametersOf(`${prefix}3`)).toEqual({});
  });

  test('An empty map is no parameter, and a create may send one.', async () => {
    await client.create(`${prefix}4`, { parameters: {} });
    expect(await settled('typed', `${prefix}4`)).toMatchObject({ status: 204 });
    await client.update?.(`${prefix}4`, { parameters: { size: 5, zones: [], tuning: {} } });
    expect(await parametersOf(`${prefix}4`)).toEqual({ size: 5, zones: [], tuning: {} });
  });

  test('What only a create may set can stay, and cannot be changed.', async () => {
    await client.create(`${prefix}5`, { parameters: { level: 1, size: 5 } });
    expect(await settled('typed', `${prefix}5`)).toMatchObject({ status: 204 });
    await client.update?.(`${prefix}5`, { parameters: { level: 1, size: 6 } });
    expect(await parametersOf(`${prefix}5`)).toEqual({ level: 1, size: 6 });
    await expect(client.update?.(`${prefix}5`, { parameters: { level: 2, size: 6 } })).rejects.toThrow(
      /^400: .*level/,
    );
    expect(await parametersOf(`${prefix}5`)).toEqual({ level: 1, size: 6 });
  });

  test('Description and tags that are not sent any more go too; the plan stays.', async () => {
    await client.create(`${prefix}6`, { description: 'old', tags: ['a', 'b'], team: 'one', plan: 'plain' });
    expect(await settled('typed', `${prefix}6`)).toMatchObject({ status: 204 });
    await client.update?.(`${prefix}6`, { tags: ['b'], team: 'two', plan: 'plain' });
    const context = await contextOf(`${prefix}6`);
    expect(context).toMatchObject({ tags: ['b'], team: 'two', plan: 'plain', instance_name: `${prefix}6` });
    expect(context).not.toHaveProperty('description');
    await client.update?.(`${prefix}6`, { team: 'two' });
    expect(await contextOf(`${prefix}6`)).not.toHaveProperty('tags');
  });
});

describe('Whole numbers in a form', () => {
  test.each([
    ['9007199254740992', 9007199254740992],
    ['9007199254740994', 9007199254740994],
    ['1000000000000000000000', 1e21],
    ['1e20', 1e20],
  ])('Whole numbers in a form are kept where they can be kept exactly: %s.', async (text, kept) => {
    const name = `kept${kept}`.replace(/\W/g, '');
    await cloud.made('typed', name, { 'parameters.size': text, 'parameters.zones': `[${text}]` });
    expect(await parametersOf(name)).toEqual({ size: kept, zones: [kept] });
  });

  test.each([
    ['size', { 'parameters.size': '9007199254740993' }],
    ['size', { 'parameters.size': '123456789012345678901234567890' }],
    ['size', { 'parameters.size': '1180591620717411303424' }],
    ['size', { 'parameters.size': '1e400' }],
    ['limit', { 'parameters.limit': '90071992547409930' }],
    ['zones', { 'parameters.zones': '[1, 9007199254740993]' }],
    ['zones', { 'parameters.zones.0': '9007199254740993' }],
    ['tuning', { 'parameters.tuning.depth': '9007199254740993' }],
    ['tuning', { 'parameters.tuning': '{"depth":9007199254740993}' }],
  ])(
    'Whole numbers in a form are refused by the name of the field where they cannot: %s of %j.',
    async (field, sent) => {
      const form = { name: 'exact', team: 'one', ...sent };
      const answer = await ask('POST', 'typed/resources', { form });
      expect({ status: answer.status, text: answer.text }).toEqual({
        status: 400,
        text: expect.stringContaining(field) as string,
      });
      expect(await parametersOfNothing('exact')).toBe(404);
    },
  );
});

async function parametersOfNothing(name: string): Promise<number | undefined> {
  return (await cloud.brokers()[0]?.ask('get', `/v2/service_instances/tsuru.typed.${name}`))?.status;
}
