import { envOf } from '../../../src/protocols/tsuru/apps/env.ts';
import { readFields } from '../../../src/protocols/tsuru/parameters/fields.ts';
import type { JsonObject } from '../../../src/broker/json.ts';

/** How requests of any age are read, and how credentials become an environment. */

const form = (text: string) => readFields({ body: new URLSearchParams(text) });

test('The first spelling that says something counts, in forms and in JSON.', () => {
  expect(form('app-host=&hostname=h').text('app-host', 'hostname')).toBe('h');
  expect(form('tags=a&tags=b').texts('tags')).toEqual(['a', 'b']);
  expect(form('app-hosts.0=a&app-hosts.1=b&app-hosts.3=d').texts('app-hosts')).toEqual(['a', 'b']);
  expect(readFields({ body: { appHosts: ['a', 'b'] } }).text('app-host', 'appHosts')).toBe('a');
  expect(readFields({ body: { plan: null } }).text('plan')).toBeUndefined();
  expect(readFields({ body: undefined }).text('plan')).toBeUndefined();
});

test.each<[string, JsonObject]>([
  ['parameters.a=1&parameters.b.c=2&parameters.b.d=3', { a: '1', b: { c: '2', d: '3' } }],
  ['parameters.list.0=x&parameters.list.1=y', { list: { 0: 'x', 1: 'y' } }],
  ['parameters.a%5C.b=1', { 'a.b': '1' }],
  ['parameters.constructor=1&parameters.toString.x=2', { constructor: '1', toString: { x: '2' } }],
  ['parametersx=1&parameter.a=2', {}],
  ['parameters.=', {}],
  ['parameters.a.=&parameters.b=1', { a: {}, b: '1' }],
  ['parameters.a=x&parameters.b=1&parameters.a=y', { a: ['x', 'y'], b: '1' }],
])('The form %s has these parameters.', (text, parameters) => {
  expect(form(text).parameters).toEqual(parameters);
});

test.each([
  'parameters.=1',
  'parameters.a..b=1',
  'parameters.a=1&parameters.a.b=2',
  'parameters.a=1&parameters.a.=',
  'parameters.a.b=1&parameters.a.=x',
  'parameters.a.b=1&parameters.a=2',
  'parameters.__proto__.x=1',
  `parameters${'.a'.repeat(30)}=1`,
  'parameters.a=%00',
])('The form %s is refused.', (text) => {
  expect(() => form(text)).toThrow(/parameter/);
});

test('Credentials become texts under names that a shell takes, in one order.', () => {
  const credentials = {
    uri: 'x',
    port: 3306,
    tls: false,
    hosts: ['a'],
    extra: { b: 1 },
    none: null,
    'a-b.c': 'y',
  };
  expect(Object.entries(envOf('my-db.2', credentials))).toEqual([
    ['MY_DB_2_A_B_C', 'y'],
    ['MY_DB_2_EXTRA', '{"b":1}'],
    ['MY_DB_2_HOSTS', '["a"]'],
    ['MY_DB_2_PORT', '3306'],
    ['MY_DB_2_TLS', 'false'],
    ['MY_DB_2_URI', 'x'],
  ]);
  expect(envOf('2nd', { a: 'b' })).toEqual({ _2ND_A: 'b' });
  expect(envOf('echo', undefined)).toEqual({});
});
