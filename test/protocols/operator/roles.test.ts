import type { Offices } from '../../../src/broker/offices/index.ts';
import type { OperatorView } from '../../../src/broker/operator-view.ts';
import type { Operated } from '../../../src/protocols/operator/endpoints.ts';
import { operator } from '../../../src/protocols/operator/index.ts';
import { operatorRoutes } from '../../../src/protocols/operator/routes.ts';
import type { HashedLogin } from '../../../src/protocols/protocol.ts';
import { aServer, type Running } from '../../http/test-server.ts';

/** Nothing is behind the routes: whoever is let through meets an error. */

const may = (username: string, readsOnly: boolean): HashedLogin => ({
  username,
  readsOnly,
  passwords: [(given) => Promise.resolve(given === 'right')],
});
const accounts = [may('watching', true), may('doing', false)];
let running: Running;
let reached: string[];

beforeAll(async () => {
  const nothing = new Proxy(
    {},
    {
      get: (_none, name) => () => {
        reached.push(String(name));
        throw new Error('There is nothing here.');
      },
    },
  );
  const settings = {
    offices: { authorities: nothing, upgrades: nothing, webhooks: nothing } as Offices,
    logins: [],
    further: { accounts: () => accounts },
  };
  running = await aServer(operator(nothing as Operated, nothing as OperatorView, settings));
});
beforeEach(() => {
  reached = [];
});
afterAll(() => running.server.close());

function ask(username: string, method: string, path: string): Promise<Response> {
  return running.ask(path.replaceAll(/:\w+/g, 'one'), {
    method,
    headers: { authorization: `Basic ${btoa(`${username}:right`)}`, 'content-type': 'application/json' },
    ...(method === 'GET' ? {} : { body: '{}' }),
  });
}

const all = Object.entries(operatorRoutes).map(([verb, { method, path }]) => [verb, method, path] as const);

test.each(all.filter(([, method]) => method !== 'GET'))(
  'A viewer is refused %s (%s %s) with 403 before anything is looked at, and an operator is not.',
  async (_verb, method, path) => {
    const answer = await ask('watching', method, path);
    expect(await answer.json()).toEqual({
      error: 'forbidden',
      description: 'The user watching has the role viewer, which may read and change nothing.',
    });
    expect(answer.status).toBe(403);
    expect(reached).toEqual([]);
    expect([401, 403]).not.toContain((await ask('doing', method, path)).status);
  },
);

test.each(all.filter(([, method]) => method === 'GET'))(
  'A viewer may read %s (%s %s).',
  async (_verb, method, path) => {
    expect([401, 403]).not.toContain((await ask('watching', method, path)).status);
  },
);
