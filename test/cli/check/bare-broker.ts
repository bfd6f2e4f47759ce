import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { isObject, sameJson, type Json, type JsonObject } from '../../../src/broker/json.ts';
import { jsonIn } from '../../../src/cli/check/probe/wire.ts';
import { smallLogin } from './small-broker.ts';

/** As little as a broker can be: it does everything at once, tells nothing again, and updates nothing. */

const service = '5a0c8a86-93c5-4b3f-8f0e-3a41f5f4c101';
const plan = '5a0c8a86-93c5-4b3f-8f0e-3a41f5f4c102';

const catalog = {
  services: [
    {
      id: service,
      name: 'bare',
      description: 'Nothing much',
      bindable: true,
      plans: [{ id: plan, name: 'only', description: 'The one' }],
    },
  ],
};

interface BareAnswer {
  readonly status: number;
  readonly body: object;
}

export interface BareBroker {
  readonly url: string;
  /** What is there: bodies by paths. */
  readonly things: ReadonlyMap<string, JsonObject>;
  stop(): Promise<void>;
}

export async function startBareBroker(): Promise<BareBroker> {
  const things = new Map<string, JsonObject>();
  const login = `${smallLogin.username}:${smallLogin.password}`;
  const server = createServer((request, response) => {
    const respond = ({ status, body }: BareAnswer) => {
      const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="bare"' } : {};
      const sent = request.headers['x-broker-api-request-identity'];
      const identity = sent === undefined ? {} : { 'x-broker-api-request-identity': sent };
      response.writeHead(status, { 'content-type': 'application/json', ...challenge, ...identity });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
    };
    const [, given = ''] = /^basic (.*)$/i.exec(request.headers.authorization ?? '') ?? [];
    const isKnown = Buffer.from(given, 'base64').toString() === login;
    void text(request).then((body) =>
      respond(isKnown ? answerTo(things, request, body) : no(401, 'Who are you?')),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    things,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answerTo(
  things: Map<string, JsonObject>,
  { method = '', url = '', headers }: IncomingMessage,
  body: string,
): BareAnswer {
  const version = headers['x-broker-api-version'];
  if (version === undefined) return no(400, 'Which version?');
  if (!/^2\.\d+$/.test(String(version))) return no(412, 'This speaks 2.x.');
  const { pathname, searchParams } = new URL(url, 'http://bare.test');
  if (pathname === '/v2/catalog' && method === 'GET') return { status: 200, body: catalog };
  const [, instance, binding] =
    /^(\/v2\/service_instances\/[^/]+)(\/service_bindings\/[^/]+)?$/.exec(pathname) ?? [];
  if (instance === undefined) return no(404, 'There is nothing here.');
  if (method === 'PUT') return put(things, pathname, binding === undefined ? undefined : instance, body);
  if (method === 'DELETE') return remove(things, pathname, searchParams);
  if (method === 'PATCH') return update(things, instance, body);
  return no(404, 'Nothing is told here.');
}

function put(
  things: Map<string, JsonObject>,
  path: string,
  instance: string | undefined,
  body: string,
): BareAnswer {
  const asked = objectOf(body);
  if (!asked) return no(400, 'The body is no object.');
  const names = ['service_id', 'plan_id', ...(instance ? [] : ['organization_guid', 'space_guid'])];
  if (
    names.some((name) => !Object.hasOwn(asked, name) || typeof asked[name] !== 'string' || asked[name] === '')
  )
    return no(400, `These must be texts: ${names.join(', ')}.`);
  const isOdd = (name: string) => asked[name] !== undefined && asked[name] !== null && !isObject(asked[name]);
  if (['parameters', 'context', 'bind_resource'].some(isOdd)) return no(400, 'These must be objects.');
  if (!['undefined', 'string'].includes(typeof asked['app_guid'])) return no(400, 'The app must be a text.');
  if (asked['service_id'] !== service || asked['plan_id'] !== plan) return no(400, 'It is not sold.');
  if (instance && !things.has(instance)) return no(404, 'There is no such instance.');
  const known = things.get(path);
  const told = instance ? { credentials: { password: path } } : {};
  if (known === undefined) {
    things.set(path, asked);
    return { status: 201, body: told };
  }
  const isSame = [...names, 'parameters', 'app_guid'].every((name) => sameJson(known[name], asked[name]));
  return isSame ? { status: 200, body: told } : no(409, 'There is another one.');
}

function update(things: ReadonlyMap<string, JsonObject>, path: string, body: string): BareAnswer {
  const asked = objectOf(body);
  if (!asked || typeof asked['service_id'] !== 'string' || asked['service_id'] === '')
    return no(400, 'service_id must be a text.');
  for (const [name, type] of [
    ['plan_id', 'string'],
    ['parameters', 'object'],
  ] as const)
    if (asked[name] !== undefined && typeof asked[name] !== type)
      return no(400, `${name} is of another type.`);
  return things.has(path) ? no(422, 'Nothing is updated here.') : no(404, 'There is no such instance.');
}

function remove(things: Map<string, JsonObject>, path: string, query: URLSearchParams): BareAnswer {
  if (!things.has(path)) return { status: 410, body: {} };
  if (!query.get('service_id') || !query.get('plan_id'))
    return no(400, 'service_id and plan_id are missing.');
  if (query.get('service_id') !== service || query.get('plan_id') !== plan) return no(400, 'It is another.');
  for (const one of things.keys()) if (one === path || one.startsWith(`${path}/`)) things.delete(one);
  return { status: 200, body: {} };
}

function objectOf(body: string): JsonObject | undefined {
  const value: Json | undefined = jsonIn(body);
  return isObject(value) ? value : undefined;
}

function no(status: number, description: string): BareAnswer {
  return { status, body: { description } };
}
