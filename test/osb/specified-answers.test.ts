import { requireSpecified } from '../support/openapi.ts';

/** The check that all tests of the protocol use lets nothing wrong pass. */

const instance = '/v2/service_instances/i';
const binding = `${instance}/service_bindings/b`;

test.each<[method: string, path: string, status: number, body: unknown]>([
  ['get', '/v2/catalog', 200, { services: [] }],
  ['put', instance, 201, {}],
  ['put', instance, 202, { operation: 'o', dashboard_url: 'https://d.example.com' }],
  ['get', `${binding}/last_operation`, 200, { state: 'succeeded' }],
  ['delete', binding, 410, {}],
  // Errors that may come anywhere.
  ['patch', instance, 404, { error: 'NotFound', description: 'It is not there.' }],
  ['get', '/v2/nothing', 404, { description: 'It is not there.' }],
])('%s %s with %d and %j is let pass.', (method, path, status, body) => {
  expect(() => requireSpecified({ method, path, status, body })).not.toThrow();
});

test.each<[method: string, path: string, status: number, body: unknown, why: RegExp]>([
  ['get', '/v2/catalog', 200, [], /must be object/],
  [
    'get',
    '/v2/catalog',
    200,
    { services: [{ id: 's', name: 's', description: 's', plans: [] }] },
    /bindable/,
  ],
  ['put', instance, 201, { dashboard_url: null }, /dashboard_url must be string/],
  ['put', instance, 202, { operation: 7 }, /operation must be string/],
  ['put', binding, 201, { credentials: 'secret' }, /credentials must be object/],
  ['get', `${instance}/last_operation`, 200, { state: 'done' }, /must be equal to one of/],
  ['get', `${instance}/last_operation`, 200, {}, /state/],
  ['patch', instance, 201, {}, /no such answer/],
  ['delete', instance, 204, {}, /no such answer/],
  ['get', '/v2/nothing', 200, {}, /no such answer/],
  ['put', instance, 409, { description: ['no text'] }, /description must be string/],
  ['put', instance, 500, { error: 1 }, /error must be string/],
])('%s %s with %d and %j is not.', (method, path, status, body, why) => {
  expect(() => requireSpecified({ method, path, status, body })).toThrow(why);
});
