import type { OperatorHandlers } from '../../../src/protocols/operator/index.ts';
import type { OperatorRoute } from '../../../src/protocols/operator/route.ts';
import { operatorRoutes, type OperatorVerb } from '../../../src/protocols/operator/routes.ts';
import {
  type Action,
  actionPath,
  actions,
  type ActionName,
} from '../../../src/protocols/pages/content/actions.ts';
import { pages } from '../../../src/protocols/pages/index.ts';
import type { Call, HashedLogin } from '../../../src/protocols/protocol.ts';
import { aServer, type Ask, type Running } from '../../http/test-server.ts';

/** What the forms of the pages ask the operator API, and whose forms they take. */

const may = (username: string, readsOnly: boolean): HashedLogin => ({
  username,
  readsOnly,
  passwords: [(given) => Promise.resolve(given === 'right')],
});
let running: Running;
let asked: (Pick<Call, 'params' | 'query' | 'body'> & { readonly verb: string })[];
const on = Object.fromEntries(
  Object.keys(operatorRoutes).map((verb) => [
    verb,
    ({ params, query, body }: Call) => {
      asked.push({ verb, params, query, body });
      return { status: 200, body: {} };
    },
  ]),
) as OperatorHandlers;

beforeAll(async () => {
  const accounts = [may('doing', false), may('watching', true), may('other', false)];
  running = await aServer(
    pages({
      on,
      logins: [],
      further: { accounts: () => accounts },
      stock: () => Promise.resolve(undefined),
      url: () => 'https://broker.example.com',
    }),
  );
});
beforeEach(() => {
  asked = [];
});
afterAll(() => running.server.close());

const targets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  instances: { instance: '..' },
  unbind: { instance: '..', binding: 'b/1' },
  action: { instance: '..', action: 'flush' },
  adopt: { provisioner: 'process', node: 'n1', name: 'thing' },
  backups: { instance: '..' },
  operations: { operation: 'o1' },
  nodes: { node: 'n1' },
  upgrades: { run: 'r1' },
  authorities: { authority: '2' },
  orphans: { provisioner: 'process', node: 'n1', name: 'thing' },
};

function pathOf(name: ActionName): string {
  const { verb } = actions[name];
  const kind = /bind|action|adopt/.exec(verb)?.[0].replace(/^bind/, 'unbind') ?? verb.split(' ')[0] ?? '';
  return actionPath(name, targets[kind] ?? {});
}

function send(path: string, user = 'doing', init: Ask = {}): Promise<Response> {
  const headers = { authorization: `Basic ${btoa(`${user}:right`)}`, ...init.headers };
  return running.ask(path, { redirect: 'manual', ...init, headers });
}

/** As a browser that has opened the page. */
async function opened(path: string, user?: string) {
  const page = await send(path, user);
  const text = await page.text();
  const cookie = page.headers.get('set-cookie') ?? '';
  return { status: page.status, text, cookie, token: /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '' };
}

function post(path: string, fields: Record<string, string>, headers = {}, user?: string): Promise<Response> {
  return send(path, user, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  });
}

test.each(Object.keys(actions) as ActionName[])(
  'The form of %s asks the operator API for what its route knows, and then leads on.',
  async (name) => {
    const path = pathOf(name);
    const { text, cookie, token } = await opened(path);
    const action: Action = actions[name];
    expect(text).toContain(`<h1>${action.label}?</h1>`);
    expect(text.includes('name="confirm"')).toBe(action.confirms !== undefined);
    const confirm = action.confirms === 'binding' ? 'b/1' : '..';
    const answer = await post(
      path,
      {
        token,
        confirm,
        signs_after: '1.5',
        parameters: '{"depth":2}',
        id: '..',
        offering: 'shop',
        plan: 'small',
      },
      { cookie },
    );
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(/^\/operator\/pages\/.+told=done$/);
    const [one] = asked;
    if (!one) throw new Error('Nothing was asked.');
    const { verb, query, params, body } = one;
    const route: OperatorRoute = operatorRoutes[action.verb as OperatorVerb];
    expect(verb).toBe(action.verb);
    expect([...query.keys()].filter((said) => !Object.hasOwn(route.query ?? {}, said))).toEqual([]);
    expect(
      [...route.path.matchAll(/:(\w+)/g)].filter(([, said = '']) => !Object.hasOwn(params, said)),
    ).toEqual([]);
    const bodies: Readonly<Record<string, object | undefined>> = {
      'remove-orphan': targets['orphans'],
      'renew-authority': { signs_after: 129_600_000 },
      declared: { parameters: { depth: 2 } },
      adopt: { thing: 'thing', node: 'n1', offering: 'shop', plan: 'small' },
    };
    if (route.body) expect(body).toEqual(bodies[name] ?? {});
    expect(query.get('confirm')).toBe(action.confirms ? confirm : null);
  },
);

test.each([
  ['without a cookie', { cookie: '' }, {}],
  ['with a token of somebody else', {}, { token: 'x'.repeat(43) }],
  ['without a token', {}, { token: '' }],
  ['that another site sends', { 'sec-fetch-site': 'cross-site' }, {}],
  ['that another site of the same owner sends', { 'sec-fetch-site': 'same-site' }, {}],
  ['that an older browser sends from elsewhere', { origin: 'https://evil.example' }, {}],
])('A form %s is refused with 403 and changes nothing.', async (_how, headers, fields) => {
  const path = pathOf('stop');
  const { cookie, token } = await opened(path);
  const answer = await post(path, { token, ...fields }, { cookie, ...headers });
  expect([answer.status, asked]).toEqual([403, []]);
  expect(await answer.text()).toContain('Nothing has changed');
});

test('A form is of the user who has opened it, and of no other in the same browser.', async () => {
  const path = pathOf('stop');
  const { cookie, token } = await opened(path);
  expect((await post(path, { token }, { cookie }, 'other')).status).toBe(403);
  const own = { cookie, origin: 'null', 'sec-fetch-site': 'same-origin' };
  expect((await post(path, { token }, own)).status).toBe(303);
});

test('The cookie of the forms is read by no script, sent from no other site, and only by TLS.', async () => {
  const { cookie } = await opened(pathOf('stop'));
  expect(cookie).toMatch(/^purveyor_pages=[\w-]{43}; Path=\/operator; HttpOnly; SameSite=Strict; Secure$/);
  const again = await send(pathOf('stop'), 'doing', { headers: { cookie } });
  expect(again.headers.get('set-cookie')).toBeNull();
});

test('A viewer is shown no form and may send none.', async () => {
  const path = pathOf('delete');
  const { cookie, token } = await opened(path);
  expect((await opened(path, 'watching')).status).toBe(403);
  expect((await post(path, { token, confirm: '..' }, { cookie }, 'watching')).status).toBe(403);
  expect(asked).toEqual([]);
});

test('An action that there is none of is not found.', async () => {
  const answer = await send('/operator/pages/action?do=constructor&instance=i1');
  expect(answer.status).toBe(404);
});
