import { createServer } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { stringify } from 'yaml';
import { listen as listenOn } from '../../support/database-gate.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';
import { hasChromium, openChromium, visit } from '../pages/chromium.ts';
import { client, openPlatform, type Platform } from './platform.ts';

/** Who sees the dashboard of an instance, by the platform's sign-in and by links, and what is on it. */

const look = hasChromium ? test : test.skip;
const shots = process.env['PAGES_SCREENSHOTS'] ?? scratchDirectory('dashboard-shots');
const lacks = readFileSync(join(import.meta.dirname, '../pages/lacks.js'), 'utf8');
const attack = '<script>document.title="pwned"</script>';
const echo = { service_id: 'owned-echo', plan_id: 'owned-echo-one' };
const hidden = { service_id: 'owned-hidden', plan_id: 'owned-hidden-one' };

let database: TestDatabase;
let platform: Platform;
let broker: WholeBroker;
let other: WholeBroker;
let browser: Browser | undefined;

function offering(name: string, more: object): object {
  return {
    id: name,
    name,
    description: 'A thing with an owner',
    provisioner: 'faulty',
    instances_retrievable: true,
    plan_updateable: true,
    schemas: {
      service_instance: {
        create: { parameters: { $schema: 'http://json-schema.org/draft-04/schema#', type: 'object' } },
      },
    },
    credentials: { password: '{{secrets.word}}' },
    secrets: { word: {} },
    plans: [{ id: `${name}-one`, name: 'one', description: 'The plan' }],
    ...more,
  };
}

beforeAll(async () => {
  platform = await openPlatform();
  database = await openTestDatabase();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const folder = scratchDirectory('dashboards-owned');
  mkdirSync(join(folder, 'catalog'));
  const dashboard_client = { ...client, redirect_uri: `${url}/dashboard` };
  const offerings = { 'owned-echo': { dashboard_client }, 'owned-hidden': { dashboard: false } };
  for (const [name, more] of Object.entries(offerings))
    writeFileSync(join(folder, 'catalog', `${name}.yaml`), stringify(offering(name, more)));
  const env = { CATALOG_DIR: join(folder, 'catalog'), DASHBOARD_CLOUD_CONTROLLER: platform.url };
  broker = await startWholeBroker(database, { ...env, PORT: String(port) });
  other = await startWholeBroker(database, { ...env, PUBLIC_URL: url });
  if (hasChromium) browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await broker?.stop();
  await other?.stop();
  await platform?.close();
  await database?.close();
});

const pathOf = (id: string) => `/v2/service_instances/${encodeURIComponent(id)}`;
const login = `operator:${operatorPassword}`;

async function make(id: string, ids = echo, parameters: object = {}): Promise<string | undefined> {
  const context = { platform: 'cloudfoundry', instance_name: attack, space_name: 'dev' };
  const body = { ...ids, organization_guid: 'o', space_guid: 's', context, parameters };
  const { status, body: told, text } = await broker.ask('put', pathOf(id), { body });
  if (status !== 201) throw new Error(`${status} ${text}`);
  return (told as { dashboard_url?: string }).dashboard_url;
}

async function linkTo(id: string, forMs = 60_000) {
  const path = `/operator/instances/${id}/dashboard-link`;
  const { status, body, text } = await broker.ask('post', path, { login, body: { for: forMs } });
  if (status !== 200) throw new Error(`${status} ${text}`);
  return (body as { url: string }).url;
}

/** As a browser that has no scripts and goes nowhere by itself, with what cookies it was given. */
function visitor() {
  const jar = new Map<string, string>();
  async function open(address: string, at = broker.url) {
    const { pathname, search } = new URL(address);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const url = address.startsWith(platform.url) ? address : `${at}${pathname}${search}`;
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
    if (name !== undefined) jar.set(name, value ?? '');
    return { answer, status: answer.status, text: await answer.text(), to: answer.headers.get('location') };
  }
  /** To where nothing leads on. */
  async function follow(address: string, at?: string) {
    let last = await open(address, at);
    for (let steps = 0; last.to !== null && steps < 6; steps += 1) last = await open(last.to, at);
    return last;
  }
  return { jar, open, follow };
}

test('The platform signs its users in, is asked what they may see, and only then is anything shown.', async () => {
  const url = await make('owned-1', echo, {
    size: 5,
    password: 'hunter2-canary',
    notes: { apiKey: 'canary-key' },
  });
  expect(url).toBe(`${broker.url}/dashboard/owned-1`);
  platform.may = { 'owned-1': 'read' };
  const one = visitor();
  const { status, text, answer } = await one.follow(url ?? '');
  expect([status, platform.asked]).toEqual([200, ['v3 owned-1']]);
  expect(text).toContain('owned-echo, plan one');
  expect(text).toMatch(/size[\s\S]*>5</);
  expect(text).not.toMatch(/hunter2-canary|canary-key|<script>document/);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': expect.stringContaining("default-src 'none'") as string,
  });
  // The second broker takes the session of the first, and asks for itself; neither asks again within a minute.
  for (const at of [other.url, other.url, broker.url])
    expect((await one.open(url ?? '', at)).status).toBe(200);
  expect(platform.asked.length).toBeLessThanOrEqual(3);
  const everything = [...one.jar.values(), ...platform.tokens, client.secret];
  const logs = broker.output() + other.output();
  expect(everything.filter((secret) => logs.includes(secret))).toEqual([]);
});

test.each([
  ['nothing', 403, 'may not see this service instance'],
  ['broken', 503, 'does not say at the moment'],
  ['signed out', 401, 'does not accept your sign-in'],
  ['older', 200, 'owned-echo, plan one'],
  ['manage', 200, 'owned-echo, plan one'],
] as const)('Of who may do %s with an instance the dashboard is %i.', async (may, status, sentence) => {
  const id = `owned-may-${may.replace(' ', '-')}`;
  const url = await make(id);
  platform.may = { [id]: may };
  const last = await visitor().follow(url ?? '');
  expect({ status: last.status, text: last.text }).toEqual({
    status,
    text: expect.stringContaining(sentence) as string,
  });
});

test('A platform that has changed its key, or whose clock is a little ahead, signs in; one that lies does not.', async () => {
  const url = (await make('owned-keys')) ?? '';
  platform.may = { 'owned-keys': 'read' };
  await platform.rotate();
  platform.skew = 30;
  expect((await visitor().follow(url)).status).toBe(200);
  platform.skew = 0;
  for (const lies of [{ nonce: 'another' }, { aud: 'another' }, { iss: 'https://another' }]) {
    platform.lies = lies;
    const { status, text } = await visitor().follow(url);
    expect([lies, status, text.includes('cannot accept')]).toEqual([lies, 502, true]);
  }
  platform.lies = {};
  platform.refuses = true;
  expect((await visitor().follow(url)).status).toBe(403);
  platform.refuses = false;
});

test('A sign-in counts in the browser that has begun it, once, and no cookie opens another instance.', async () => {
  const url = (await make('owned-own')) ?? '';
  const foreign = (await make('owned-foreign')) ?? '';
  platform.may = { 'owned-own': 'read', 'owned-foreign': 'nothing' };
  const one = visitor();
  const begun = await one.open(url);
  const back = (await one.open(begun.to ?? '')).to ?? '';
  expect((await visitor().open(back)).status).toBe(400);
  expect((await one.open(back)).to).toBe(url);
  expect((await one.open(back)).status).toBe(502);
  expect((await one.open(foreign)).to).toContain(`${platform.url}/uaa/authorize`);
});

test('A link opens one dashboard until it expires, its token does not stay in the address, and it is in the audit trail.', async () => {
  const url = (await make('owned-linked')) ?? '';
  const link = await linkTo('owned-linked');
  const token = new URL(link).searchParams.get('link') ?? '';
  const one = visitor();
  const first = await one.open(link, other.url);
  expect([first.status, first.to]).toEqual([302, url]);
  expect(first.answer.headers.get('set-cookie')).toMatch(
    /^purveyor_dashboard=[^;]+; Path=\/dashboard\/owned-linked; Max-Age=\d\d; HttpOnly; SameSite=Lax$/,
  );
  expect((await one.open(url)).status).toBe(200);
  const wrong = [
    link.slice(0, -2),
    link.replace('owned-linked', 'owned-own'),
    await linkTo('owned-linked', 1000),
  ];
  await until(
    'the last of them has expired',
    async () => (await visitor().open(wrong[2] ?? '')).status === 404,
  );
  for (const address of wrong) {
    const { status, text } = await visitor().open(address);
    expect([status, text.includes('no dashboard at this address')]).toEqual([404, true]);
  }
  const { text } = await broker.ask('get', '/operator/audit?verb=dashboard-link', { login });
  expect(text).toContain('owned-linked');
  expect([text, broker.output(), other.output()].filter((said) => said.includes(token))).toEqual([]);
  const { status } = await broker.ask('delete', pathOf('owned-linked'), { query: echo });
  expect(status).toBe(200);
  expect((await one.open(url)).status).toBe(404);
  await make('owned-linked');
  expect((await visitor().open(link)).status).toBe(404);
});

test('An offering that says so has no dashboard, and a link to none is refused.', async () => {
  expect(await make('owned-none', hidden)).toBeUndefined();
  await expect(linkTo('owned-none')).rejects.toThrow('409');
  await expect(linkTo('owned-never')).rejects.toThrow('404');
  const [none, never] = [`${broker.url}/dashboard/owned-none`, `${broker.url}/dashboard/owned-never`];
  const [one, two] = [await visitor().open(none), await visitor().open(never)];
  expect([one.status, one.text]).toEqual([404, two.text]);
});

look(
  'A dashboard is whole, named and escaped, light, dark and on a phone, with and without scripts.',
  async () => {
    const url = (await make('owned-look', echo, { size: 5, secret_word: 'canary-look' })) ?? '';
    platform.may = { 'owned-look': 'manage' };
    const path = `${pathOf('owned-look')}/service_bindings/b-1`;
    const bound = await broker.ask('put', path, {
      body: { ...echo, app_guid: 'an-app', context: { app_name: attack } },
    });
    const { credentials } = bound.body as { credentials: { password: string } };
    const { page, complaints } = await visit(browser as Browser, { viewport: { width: 1280, height: 900 } });
    await page.goto(url);
    expect(page.url()).toBe(url);
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(attack);
    for (const [name, width, colorScheme] of [
      ['light', 1280, 'light'],
      ['dark', 1280, 'dark'],
      ['phone', 375, 'light'],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: join(shots, `dashboard-${name}.png`), fullPage: true, caret: 'initial' });
      expect(await page.evaluate<object>(lacks)).toMatchObject({
        nameless: [],
        unlabelled: 0,
        headings: 1,
        tooWide: 0,
      });
    }
    const html = await page.content();
    expect([credentials.password, 'canary-look'].filter((secret) => html.includes(secret))).toEqual([]);
    const context = { platform: 'cloudfoundry', instance_name: 'renamed-look' };
    await broker.ask('patch', pathOf('owned-look'), { body: { service_id: echo.service_id, context } });
    await page.getByRole('heading', { name: 'renamed-look' }).waitFor();
    const without = await visit(browser as Browser, { javaScriptEnabled: false });
    await without.page.goto(await linkTo('owned-look'));
    expect(await without.page.getByRole('heading', { level: 1 }).innerText()).toBe('renamed-look');
    expect([...complaints, ...without.complaints]).toEqual([]);
    await page.goto(`${broker.url}/dashboard/owned-nowhere`);
    await page.screenshot({ path: join(shots, 'dashboard-nowhere.png') });
  },
);

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOn(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
