import type { Broker } from '../../../src/broker/broker.ts';
import { Failure, Refusal, type RefusalCode } from '../../../src/broker/errors.ts';
import type { Operation } from '../../../src/broker/records.ts';
import { aBinding, anInstance, anOperation } from '../../broker/fixtures.ts';
import {
  bindBody,
  bindingPath,
  hints,
  instancePath,
  provisionBody,
  scripted,
  updateBody,
} from './scripted-broker.ts';

/** Outcomes, refusals and failures of the core as the specification's answers. */

const requests = {
  provision: { method: 'put', path: instancePath, body: provisionBody },
  update: { method: 'patch', path: instancePath, body: updateBody },
  deprovision: { method: 'delete', path: instancePath, body: undefined },
  bind: { method: 'put', path: bindingPath, body: bindBody },
  unbind: { method: 'delete', path: bindingPath, body: undefined },
  instance: { method: 'get', path: instancePath, body: undefined },
  binding: { method: 'get', path: bindingPath, body: undefined },
  lastOperation: { method: 'get', path: `${instancePath}/last_operation`, body: undefined },
} as const;
type Request = keyof typeof requests;

/** What a platform is answered when the broker gives this. */
async function answerTo(request: Request, given: () => unknown, path: string = requests[request].path) {
  const script = { [request]: () => Promise.resolve().then(given) } as Partial<Broker>;
  const { method, body } = requests[request];
  const answer = await scripted(script).platform[method](path).query(hints).send(body);
  expect(answer.headers['content-type']).toBe('application/json');
  return answer;
}

const dashboardUrl = 'https://broker.example/dashboard/i1';
const metadata = { labels: { a: 'b' }, attributes: {} };
const instance = anInstance({
  maintenanceVersion: '1.0.0',
  metadata,
  confidential: { parameters: { a: 1 }, secrets: { s: 'hidden' }, facts: { f: 'hidden' }, dashboardUrl },
});
const shown = { dashboard_url: dashboardUrl, metadata };
const binding = aBinding({
  expiresAt: new Date('2026-03-04T05:06:07.890Z'),
  renewBefore: new Date('2026-03-03T05:06:07Z'),
  confidential: {
    parameters: { b: 2 },
    secrets: { s: 'hidden' },
    facts: { f: 'hidden' },
    answer: {
      credentials: { uri: 'x' },
      syslogDrainUrl: 'syslog://x',
      routeServiceUrl: 'https://x',
      volumeMounts: [{ driver: 'd' }],
      endpoints: [{ host: 'h', ports: ['1'] }],
    },
  },
});
const bound = {
  metadata: { expires_at: '2026-03-04T05:06:07.8Z', renew_before: '2026-03-03T05:06:07.0Z' },
  credentials: { uri: 'x' },
  syslog_drain_url: 'syslog://x',
  route_service_url: 'https://x',
  volume_mounts: [{ driver: 'd' }],
  endpoints: [{ host: 'h', ports: ['1'] }],
};
const operation = anOperation('provision', { id: 'op-1' });

describe('An outcome', () => {
  test.each([
    ['provision', { is: 'done', record: instance }, 201, shown],
    ['provision', { is: 'unchanged', record: instance }, 200, shown],
    ['provision', { is: 'accepted', operation, record: instance }, 202, { operation: 'op-1', ...shown }],
    ['provision', { is: 'accepted', operation }, 202, { operation: 'op-1' }],
    ['update', { is: 'done', record: instance }, 200, shown],
    ['update', { is: 'unchanged', record: anInstance() }, 200, {}],
    ['update', { is: 'accepted', operation, record: instance }, 202, { operation: 'op-1', ...shown }],
    ['deprovision', { is: 'done', record: instance }, 200, {}],
    ['deprovision', { is: 'accepted', operation, record: instance }, 202, { operation: 'op-1' }],
    ['deprovision', { is: 'absent' }, 410, {}],
    ['bind', { is: 'done', record: binding }, 201, bound],
    ['bind', { is: 'unchanged', record: binding }, 200, bound],
    ['bind', { is: 'done', record: aBinding() }, 201, {}],
    ['bind', { is: 'accepted', operation, record: binding }, 202, { operation: 'op-1' }],
    ['unbind', { is: 'done', record: binding }, 200, {}],
    ['unbind', { is: 'accepted', operation, record: binding }, 202, { operation: 'op-1' }],
    ['unbind', { is: 'absent' }, 410, {}],
  ] as const)('BND-29, DEP-02, UNB-02, PRV-22: of %s, %j, is %d.', async (request, outcome, status, body) => {
    const answer = await answerTo(request, () => outcome);
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.text).not.toMatch(/null|hidden/);
  });
});

describe('Fetching', () => {
  test('FET-01: an instance shows all of it but what is ours.', async () => {
    const answer = await answerTo('instance', () => instance);
    const body = { service_id: 'cache', plan_id: 'small', ...shown, parameters: { a: 1 } };
    expect([answer.status, answer.body]).toEqual([200, { ...body, maintenance_info: { version: '1.0.0' } }]);
  });

  test('Fetching a bare instance leaves out what it has not; parameters are always told.', async () => {
    const answer = await answerTo('instance', () => anInstance());
    expect(answer.body).toEqual({ service_id: 'cache', plan_id: 'small', parameters: {} });
  });

  test('FEB-01: a binding shows all of it but what is ours.', async () => {
    const answer = await answerTo('binding', () => binding);
    expect([answer.status, answer.body]).toEqual([200, { ...bound, parameters: { b: 2 } }]);
  });
});

describe('The last operation', () => {
  const failure = { word: 'broken', sentence: 'It broke.', instanceUsable: true, updateRepeatable: false };
  const flags = { instance_usable: true, update_repeatable: false };

  test.each<[string, Operation, object]>([
    [
      'in progress',
      anOperation('provision'),
      { description: 'Provisioning the service instance is in progress.' },
    ],
    ['in progress', anOperation('update', { note: 'Half done.' }), { description: 'Half done.' }],
    [
      'in progress',
      anOperation('bind', { failure }),
      { description: 'It did not work, and what was begun is being undone.' },
    ],
    [
      'succeeded',
      anOperation('update', { state: 'succeeded' }),
      {
        description: 'Updating the service instance has succeeded.',
      },
    ],
    [
      'failed',
      anOperation('provision', { state: 'failed', failure, note: 'x' }),
      { description: 'It broke.' },
    ],
    ['failed', anOperation('bind', { state: 'failed', failure }), { description: 'It broke.' }],
    ['failed', anOperation('unbind', { state: 'failed', failure }), { description: 'It broke.' }],
    ['failed', anOperation('update', { state: 'failed', failure }), { description: 'It broke.', ...flags }],
    [
      'failed',
      anOperation('deprovision', { state: 'failed', failure }),
      {
        description: 'It broke.',
        instance_usable: true,
      },
    ],
    [
      'failed',
      anOperation('unbind', { state: 'failed' }),
      {
        description: 'Removing the service binding has failed.',
      },
    ],
  ])('LOP-01, LOB-01, ERR-03: is %s (%#).', async (state, operation, body) => {
    const answer = await answerTo('lastOperation', () => ({ operation }));
    expect([answer.status, answer.body]).toEqual([200, { state, ...body }]);
  });

  test.each([
    ['young', 0, '1'],
    ['old', 120_000, '10'],
  ])('LOP-12, LOP-13: a %s one in progress says when to ask again.', async (_age, ms, seconds) => {
    const operation = anOperation('provision', { createdAt: new Date(Date.now() - ms) });
    expect((await answerTo('lastOperation', () => ({ operation }))).headers['retry-after']).toBe(seconds);
    const over = { ...operation, state: 'succeeded' };
    const answer = await answerTo('lastOperation', () => ({ operation: over }));
    expect(answer.headers).not.toHaveProperty('retry-after');
  });

  test('LOP-02, LOP-10: of what never was is 404, of what is gone 410.', async () => {
    const absent = await answerTo('lastOperation', () => 'absent', `${bindingPath}/last_operation`);
    expect([absent.status, absent.body.error]).toEqual([404, 'NotFound']);
    const gone = await answerTo('lastOperation', () => 'gone');
    expect([gone.status, gone.body]).toEqual([410, {}]);
  });

  test.each(['start', 'stop', 'restart'] as const)(
    'A %s is not told: no platform has asked for it.',
    async (kind) => {
      const answer = await answerTo('lastOperation', () => ({ operation: anOperation(kind) }));
      expect([answer.status, answer.body.error]).toEqual([404, 'NotFound']);
    },
  );
});

describe('A refusal', () => {
  const own = 'The own sentence.';
  const concurrency =
    'The Service Broker does not support concurrent requests that mutate the same resource.';
  const asynchronous = 'This service plan requires client support for asynchronous service operations.';
  const application = 'This service supports generation of credentials through binding an application only.';
  const table: Record<RefusalCode, readonly [status: number, error: string, description: string]> = {
    invalid: [400, 'BadRequest', own],
    'not-found': [404, 'NotFound', own],
    conflict: [409, 'Conflict', own],
    busy: [422, 'ConcurrencyError', concurrency],
    occupied: [503, 'ServiceUnavailable', own],
    'not-ready': [400, 'BadRequest', own],
    'async-required': [422, 'AsyncRequired', asynchronous],
    'maintenance-conflict': [422, 'MaintenanceInfoConflict', own],
    'requires-app': [422, 'RequiresApp', application],
    unsupported: [400, 'BadRequest', own],
    unreadable: [503, 'ServiceUnavailable', own],
    unavailable: [503, 'ServiceUnavailable', own],
  };

  test.each(Object.entries(table))(
    'STS-04, CCN-02: %s is answered with %j.',
    async (code, [status, error, description]) => {
      const refuse = () => Promise.reject(new Refusal(code as RefusalCode, own, 'field'));
      for (const request of ['provision', 'bind', 'deprovision', 'instance'] as const) {
        const answer = await answerTo(request, refuse);
        expect([answer.status, answer.body]).toEqual([status, { error, description }]);
      }
    },
  );

  test('UPD-07: an update that is not supported is 422 without a word; decided in docs/decisions/0006.', async () => {
    const answer = await answerTo('update', () => Promise.reject(new Refusal('unsupported', own)));
    expect([answer.status, answer.body]).toEqual([422, { description: own }]);
  });

  test.each(['unavailable', 'occupied', 'unreadable'] as const)(
    'A refusal as %s says when to come again.',
    async (code) => {
      const answer = await answerTo('bind', () => Promise.reject(new Refusal(code, own)));
      expect(answer.headers['retry-after']).toBe('5');
    },
  );

  test.each(['update', 'deprovision', 'bind', 'unbind'] as const)(
    'A refusal as occupied is ConcurrencyError for Cloud Controller, which would clean up after a 503: %s; decided in docs/decisions/0011.',
    async (request) => {
      const { method, path, body } = requests[request];
      const script = { [request]: () => Promise.reject(new Refusal('occupied', own)) };
      const { platform } = scripted(script);
      const ask = (headers: Record<string, string>, context?: object) =>
        platform[method](path)
          .query(hints)
          .set(headers)
          .send(body && { ...body, context });
      const location = { 'X-Api-Info-Location': 'api.example.com/v2/info' };
      const answers = [await ask(location)];
      if (body) answers.push(await ask({}, { platform: 'cloudfoundry' }));
      for (const answer of answers)
        expect([answer.status, answer.body]).toEqual([
          422,
          { error: 'ConcurrencyError', description: concurrency },
        ]);
      expect((await ask({}, { platform: 'kubernetes' })).status).toBe(503);
    },
  );
});

describe('A failure', () => {
  const hints = { detail: 'internal detail', instanceUsable: false, updateRepeatable: true };
  const fail = () => Promise.reject(new Failure('broken', 'It broke.', hints));
  const failed = { error: 'OperationFailed', description: 'It broke.' };

  test.each([
    ['provision', failed],
    ['bind', failed],
    ['unbind', failed],
    ['deprovision', { ...failed, instance_usable: false }],
    ['update', { ...failed, instance_usable: false, update_repeatable: true }],
  ] as const)('ERR-03: of %s is 500 with the flags that belong to it.', async (request, body) => {
    const answer = await answerTo(request, fail);
    expect([answer.status, answer.body]).toEqual([500, body]);
  });

  test.each(['provision', 'update', 'lastOperation'] as const)(
    'ERR-06: that nobody expected gives nothing away (%s).',
    async (request) => {
      const answer = await answerTo(request, () => Promise.reject(new TypeError('select secret from table')));
      expect([answer.status, answer.body]).toEqual([
        500,
        {
          error: 'InternalError',
          description: 'The broker met an unexpected error; its log has the details.',
        },
      ]);
    },
  );
});

test.each([
  ['get', '/v2/nothing', 404, 'NotFound'],
  ['post', '/v2/catalog', 405, 'MethodNotAllowed'],
  ['put', '/v2/service_instances/', 404, 'NotFound'],
  ['get', '/v2/service_instances/%zz', 400, 'BadRequest'],
] as const)('RTE-01, RTE-02, URL-08: %s %s is %d.', async (method, path, status, error) => {
  const answer = await scripted().platform[method](path);
  expect([answer.status, answer.body]).toEqual([status, { error, description: expect.any(String) }]);
});
