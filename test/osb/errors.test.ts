import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { idsOf } from '../support/instance-platform.ts';
import { tenRequests } from '../support/ten-requests.ts';
import {
  bindingPath,
  incomplete,
  trialPlatform,
  unknownInstance,
  type Instance,
} from '../support/trial-platform.ts';

/** spec.md, Service Broker Errors and Content Type; and HTTP: methods, unknown routes. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' });

const { ask, bind, binding, broker, database, deprovision, instance, provision, refused, unbind, update } =
  platform;

const never = unknownInstance('unheard-of', 'trial-timing/quick');
const concurrency = 'The Service Broker does not support concurrent requests that mutate the same resource.';

/** Of the one that the situation needs. */
async function updating(): Promise<Instance> {
  const on = await instance('moments/endless-update');
  expect((await update(on, { query: incomplete, body: { parameters: { size: 2 } } })).status).toBe(202);
  return on;
}

async function provisioning(): Promise<Instance> {
  const on = unknownInstance(randomUUID(), 'moments/endless');
  expect((await provision('moments/endless', { id: on.id, query: incomplete })).status).toBe(202);
  return on;
}

/** Each way to be refused: what the broker must say, and a situation that makes it say so. */
type Situation = readonly [
  status: number,
  word: string | undefined,
  what: string,
  request: () => Promise<() => Promise<Response>>,
];

const at = async (request: () => Promise<Response>) => request;

const situations: readonly Situation[] = [
  [400, 'BadRequest', 'no JSON', () => at(() => ask('put', never.path, { body: '{' }))],
  [400, 'BadRequest', 'no fields', () => at(() => ask('put', never.path, { body: {} }))],
  [
    400,
    'BadRequest',
    'an unknown service',
    () => at(() => provision('echo/large', { body: { service_id: 'x' } })),
  ],
  [
    400,
    'BadRequest',
    'a plan of another service',
    () => at(() => provision('echo/large', { body: { plan_id: 'small_0001' } })),
  ],
  [
    400,
    'BadRequest',
    'parameters against the schema',
    () => at(() => provision('trial-schemas/draft-04', { body: { parameters: { share: 1 } } })),
  ],
  [
    400,
    'BadRequest',
    'a delete without hints',
    async () => {
      const { path } = await instance('trial-timing/quick');
      return () => ask('delete', path);
    },
  ],
  [
    400,
    'BadRequest',
    'a plan that cannot be bound',
    async () => {
      const on = await instance('trial-features/not-bindable');
      return () => bind(on);
    },
  ],
  [
    400,
    'BadRequest',
    'no version',
    () => at(() => ask('get', '/v2/catalog', { headers: { 'x-broker-api-version': undefined } })),
  ],
  [401, 'Unauthorized', 'no login', () => at(() => ask('get', '/v2/catalog', { login: undefined }))],
  [404, 'NotFound', 'an unknown instance that is fetched', () => at(() => ask('get', never.path))],
  [404, 'NotFound', 'an unknown instance that is updated', () => at(() => update(never))],
  [404, 'NotFound', 'an unknown instance that is bound', () => at(() => bind(never))],
  [
    404,
    'NotFound',
    'an unknown instance that is polled',
    () => at(() => ask('get', `${never.path}/last_operation`)),
  ],
  [
    404,
    'NotFound',
    'an unknown binding that is polled',
    () => at(() => ask('get', `${bindingPath(never, 'x')}/last_operation`)),
  ],
  [404, 'NotFound', 'an unknown path', () => at(() => ask('get', '/v2/nothing'))],
  [405, 'MethodNotAllowed', 'a wrong method', () => at(() => ask('post', '/v2/catalog', { body: {} }))],
  [
    409,
    'Conflict',
    'another instance with this id',
    async () => {
      const { id } = await instance('trial-timing/quick');
      return () => provision('trial-timing/slow', { id });
    },
  ],
  [
    409,
    'Conflict',
    'another binding with this id',
    async () => {
      const { id, instance: on } = await binding(await instance('trial-timing/quick'));
      return () => bind(on, { id, body: { parameters: { role: 'other' } } });
    },
  ],
  [410, undefined, 'an instance that is gone', () => at(() => deprovision(never))],
  [
    410,
    undefined,
    'a binding that is gone',
    () => at(() => unbind({ path: bindingPath(never, 'x'), instance: never })),
  ],
  [
    412,
    'PreconditionFailed',
    'a version of another major',
    () => at(() => ask('get', '/v2/catalog', { headers: { 'x-broker-api-version': '3.0' } })),
  ],
  [
    413,
    'PayloadTooLarge',
    'more than 1 MB',
    () => at(() => ask('put', never.path, { body: ' '.repeat(1_100_000) })),
  ],
  [
    415,
    'UnsupportedMediaType',
    'an unknown encoding',
    () => at(() => ask('put', never.path, { body: '{}', headers: { 'content-encoding': 'rot13' } })),
  ],
  [422, 'AsyncRequired', 'a plan that needs time', () => at(() => provision('trial-timing/async-required'))],
  [
    422,
    'ConcurrencyError',
    'an update beside an update',
    async () => {
      const on = await updating();
      return () => update(on, { query: incomplete, body: { parameters: { size: 3 } } });
    },
  ],
  [
    422,
    'ConcurrencyError',
    'a bind beside an update',
    async () => {
      const on = await updating();
      return () => bind(on, { query: incomplete });
    },
  ],
  [
    422,
    'ConcurrencyError',
    'a delete beside an update',
    async () => {
      const on = await updating();
      return () => deprovision(on, { query: incomplete });
    },
  ],
  [
    422,
    'ConcurrencyError',
    'a bind beside the provision',
    async () => {
      const on = await provisioning();
      return () => bind(on);
    },
  ],
  [
    422,
    'MaintenanceInfoConflict',
    'a maintenance version of long ago',
    () =>
      at(() => provision('trial-features/maintained', { body: { maintenance_info: { version: '1.0.0' } } })),
  ],
  [
    422,
    'RequiresApp',
    'a key of a plan that needs an application',
    async () => {
      const on = await instance('trial-features/app-required');
      return () => bind(on);
    },
  ],
  [
    422,
    undefined,
    'a change of plan that is not supported',
    async () => {
      const on = await instance('trial-features/fixed');
      return () => update(on, { body: { plan_id: idsOf('trial-features/plain').plan_id } });
    },
  ],
];

function titleOf([status, word = 'without a word', what]: Situation): string {
  return `${status} ${word}: ${what}`;
}

describe('A refusal changes nothing and is a JSON object with a word and a sentence', () => {
  // The form itself is checked of every answer in lawful-answer.ts: one camel-case word, a description, flags only
  // where they belong, no internals, the four words of the specification with 422 and only there.
  test.each(situations.map((one) => [titleOf(one), ...one] as const))(
    '%s [ERR-01, ERR-02, ERR-03, ERR-04, ERR-05, ERR-06, ERR-07, STS-04, CTP-02, CCN-02]',
    async (_title, status, word, _what, situation) => {
      const request = await situation();
      const answer = await refused(request);
      const { error, description } = answer.body as { error?: string; description?: string };
      expect({ status: answer.status, word: error }).toEqual({ status, word });
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
      if (status !== 410) expect(description).toMatch(/^[A-Za-z].*\.$/);
      if (word === 'ConcurrencyError') expect(description).toBe(concurrency);
      expect(answer.text.length).toBeLessThan(2000);
    },
  );
});

describe('A failed operation', () => {
  test.each<[string, object]>([
    ['provision', { error: 'OperationFailed', description: 'There is no room for this trial.' }],
    ['bind', { error: 'OperationFailed', description: 'The trial gives nobody a password.' }],
    ['unbind', { error: 'OperationFailed', description: 'The password is still in use.' }],
    ['deprovision', { error: 'OperationFailed', description: 'The trial is still in use.' }],
    [
      'update',
      {
        error: 'OperationFailed',
        description: 'The trial could not be changed just now.',
        instance_usable: true,
        update_repeatable: true,
      },
    ],
    [
      'update-final',
      {
        error: 'OperationFailed',
        description: 'The trial can never be changed like this.',
        instance_usable: true,
        update_repeatable: false,
      },
    ],
  ])(
    'A failed operation of the plan that fails at its %s is told with a sentence for users, and with flags only where they belong [ERR-01, ERR-03, ERR-05, ERR-06]',
    async (plan, body) => {
      const answer = await failing(plan);
      expect({ status: answer.status, body: answer.body as object }).toEqual({ status: 500, body });
    },
  );

  async function failing(plan: string): Promise<Response> {
    const name = `trial-failing/${plan}`;
    if (plan === 'provision') return provision(name);
    const on = await instance(name);
    if (plan === 'bind') return bind(on);
    if (plan === 'unbind') return unbind(await binding(on));
    if (plan === 'deprovision') return deprovision(on);
    return update(on, { body: { parameters: { size: 2 } } });
  }
});

describe('When something breaks inside', () => {
  test('When something breaks inside, the answer is a 500 with a fixed sentence, the detail is in the log, and nothing has changed [ERR-04, ERR-06, ERR-08, CTP-02]', async () => {
    const on = await instance('trial-timing/quick');
    const one = await binding(on, { id: `${on.id}-b` });
    const requests = tenRequests(on.id).filter(({ path }) => path !== '/v2/catalog');
    const tables = ['service_instances', 'operations'];
    const before = await platform.traces();
    for (const table of tables) await database().pool.query(`alter table ${table} rename to hidden_${table}`);
    const answers: Response[] = [];
    for (const { method, path, asked } of requests) {
      answers.push(
        await broker().ask(method, path, { ...asked, headers: { 'x-vcap-request-id': 'broken-inside' } }),
      );
    }
    for (const table of tables) await database().pool.query(`alter table hidden_${table} rename to ${table}`);
    for (const { status, body, headers } of answers) {
      expect({ status, body: body as object }).toEqual({
        status: 500,
        body: {
          error: 'InternalError',
          description: 'The broker met an unexpected error; its log has the details.',
        },
      });
      expect(headers).toMatchObject({ 'content-type': 'application/json' });
    }
    expect(await platform.traces()).toEqual(before);
    const logged = broker()
      .output()
      .split('\n')
      .filter((line) => line.includes('broken-inside'));
    expect(logged).toHaveLength(requests.length);
    for (const line of logged) expect(line).toMatch(/relation .* does not exist/);
    expect((await bind(on, { id: one.id })).status).toBe(200);
  });
});
