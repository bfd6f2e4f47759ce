import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { operatorPassword } from '../../support/whole-broker.ts';
import { hasChromium, openChromium, visit, type Visitor } from './chromium.ts';
import { attack, ids, openWorld, type World } from './world.ts';

/** The pages of operators in a real browser: how they look, who can use them, and what they never show. */

const look = hasChromium ? test : test.skip;
if (!hasChromium) process.stderr.write('Chromium is not installed: how the pages look is not tested.\n');

const login = `operator:${operatorPassword}`;
/** Who wants to look at them says where they are to be kept. */
const shots = process.env['PAGES_SCREENSHOTS'] ?? scratchDirectory('screenshots');
const lacks = readFileSync(join(import.meta.dirname, 'lacks.js'), 'utf8');
const nothingLacks = {
  nameless: [],
  unlabelled: 0,
  sameIds: [],
  headings: 1,
  inline: 0,
  images: 0,
  tooWide: 0,
  title: 'a title',
};

let world: World;
let browser: Browser | undefined;
/** Of those who have scripts. */
let window: Visitor;
beforeAll(async () => {
  world = await openWorld();
  if (!hasChromium) return;
  browser = await openChromium();
  window = await asOperator();
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

const ask = (path: string, headers = {}) => world.broker.ask('get', path, { login, headers });

function pathTo(page: string, id?: string): string {
  return `/operator/pages/${page}${id === undefined ? '' : `?${new URLSearchParams({ id }).toString()}`}`;
}

async function paths(): Promise<Readonly<Record<string, string>>> {
  const { body } = await ask('/operator/operations?state=failed');
  const [failed] = (body as { operations: readonly { id: string }[] }).operations;
  return {
    overview: '/operator',
    instances: `${pathTo('instances')}?platform=cloudfoundry`,
    instance: pathTo('instance', ids.server),
    attacked: pathTo('instance', ids.script),
    failed: pathTo('instance', ids.failed),
    bindings: pathTo('bindings'),
    operations: `${pathTo('operations')}?limit=5`,
    operation: pathTo('operation', failed?.id),
    upgrades: pathTo('upgrades'),
    upgrade: pathTo('upgrade', world.upgrades),
    authorities: pathTo('authorities'),
    nodes: pathTo('nodes'),
    orphans: pathTo('orphans'),
    catalog: pathTo('catalog'),
    quotas: pathTo('quotas'),
    audit: pathTo('audit'),
  };
}

async function asOperator(options: BrowserContextOptions = {}): Promise<Visitor> {
  const httpCredentials = { username: 'operator', password: operatorPassword };
  const viewport = { width: 1280, height: 900 };
  return visit(browser as Browser, { viewport, httpCredentials, baseURL: world.broker.url, ...options });
}

const windows = [
  { name: 'light', width: 1280, colorScheme: 'light' },
  { name: 'dark', width: 1280, colorScheme: 'dark' },
  { name: 'phone', width: 375, colorScheme: 'light' },
] as const;

look('Every page is whole, named and escaped, light, dark and on a phone, and shows no secret.', async () => {
  const { page, complaints } = window;
  for (const [shot, path] of Object.entries(await paths())) {
    await page.goto(path);
    const html = await page.content();
    expect(world.secrets.filter((secret) => html.includes(secret))).toEqual([]);
    for (const { name, width, colorScheme } of windows) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: join(shots, `${shot}-${name}.png`), fullPage: true, caret: 'initial' });
      expect({ path, name, ...(await page.evaluate<object>(lacks)) }).toEqual({
        path,
        name,
        ...nothingLacks,
      });
    }
  }
  expect(complaints).toEqual([]);
});

look('What an attacker has named an instance is read as it was written, by all who look.', async () => {
  const { page } = window;
  await page.goto(pathTo('instance', ids.script));
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(attack);
  const tree = await page.locator('main').ariaSnapshot();
  expect(tree).toContain('- table "Bindings"');
  expect(tree).toContain('- columnheader "State"');
  expect(tree).toMatch(/- row .*bound/);
  await page.goto('/operator');
  const overview = await page.locator('body').ariaSnapshot();
  expect(overview).toMatch(/img "Operations per minute: \d+ operations, of which 1 has failed\."/);
  expect(overview).toMatch(/- table "Instances by offering and status"/);
  expect(overview).toContain('- navigation "Pages"');
});

/** What has the focus: its name, and whether it can be seen that it has. */
const focus = `(() => {
  const one = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const { top, height } = one.getBoundingClientRect();
  return { name: one.id || one.textContent.trim(), seen: outlineStyle !== 'none' && outlineWidth !== '0px' && top >= 0 && height > 0 };
})()`;

async function tabbed(page: Page): Promise<string> {
  await page.keyboard.press('Tab');
  const { name, seen } = await page.evaluate<{ name: string; seen: boolean }>(focus);
  if (!seen) throw new Error(`Nobody sees that '${name}' has the focus.`);
  return name;
}

look('Everything is reached by the keyboard, in the order in which it is read.', async () => {
  const { page } = window;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(pathTo('instances'));
  const first = [];
  for (let n = 0; n < 4; n += 1) first.push(await tabbed(page));
  expect(first).toEqual(['Skip to content', 'Purveyor', 'Overview', 'Instances']);
  await page.reload();
  await tabbed(page);
  await page.keyboard.press('Enter');
  expect(await tabbed(page)).toBe('Filters');
  await page.keyboard.press('Enter');
  expect(await tabbed(page)).toBe('field-node');
  expect(await tabbed(page)).toBe('field-offering');
  await page.keyboard.type('web');
  await page.keyboard.press('Enter');
  await page.waitForURL(/offering=web/);
  expect(await page.getByRole('table').getByRole('row').count()).toBe(2);
});

look('The pages work without a script: lists, filters and the way from one to the next.', async () => {
  const { page, context } = await asOperator({ javaScriptEnabled: false });
  await page.goto('/operator');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Instances' }).click();
  await page.getByText('Filters').click();
  await page.getByLabel('Offering').fill('echo');
  await page.getByLabel('Status').selectOption('started');
  await page.getByRole('button', { name: 'Apply' }).click();
  expect(await page.getByLabel('Offering').inputValue()).toBe('echo');
  await page.getByRole('link', { name: 'orders-1' }).click();
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('orders-1');
  await page.goto(`${pathTo('operations')}?limit=2`);
  await page.getByRole('link', { name: 'Next page' }).click();
  expect(page.url()).toMatch(/limit=2&after=/);
  await context.close();
});

look('A page that is open shows by itself what has changed.', async () => {
  const { page, complaints } = window;
  await page.goto(pathTo('instance', ids.server));
  await page.getByRole('heading', { name: 'provision' }).waitFor();
  const path = `/operator/instances/${ids.server}/actions/restart`;
  expect((await world.broker.ask('post', path, { login, body: {} })).status).toBe(202);
  await page.getByRole('heading', { name: 'restart' }).waitFor();
  await until('it runs again, so that others can act on it', async () => {
    const { body } = await ask(`/operator/instances/${ids.server}`);
    return (body as { state: string }).state === 'ready';
  });
  expect(complaints).toEqual([]);
});

look(
  'What an operator does is asked once more, goes on in sight, and stands in the audit trail.',
  async () => {
    const { page, context, complaints } = await asOperator({ javaScriptEnabled: false });
    await world.make({ id: 'unwanted', offering: 'echo', plan: 'large' });
    await page.goto(pathTo('instance', ids.server));
    await page.getByRole('link', { name: 'Restart' }).click();
    await page.screenshot({ path: join(shots, 'restart-light.png') });
    await page.getByRole('button', { name: 'Restart' }).click();
    await page.getByRole('heading', { name: `restart of ${ids.server}` }).waitFor();
    await page.goto(pathTo('instance', 'unwanted'));
    await page.getByRole('link', { name: 'Purge' }).click();
    await page.getByLabel('The id of the instance once more').fill('another');
    await page.getByRole('button', { name: 'Purge' }).click();
    await page.getByText('confirm must be the id of the instance once more.').waitFor();
    await page.setViewportSize({ width: 375, height: 800 });
    await page.screenshot({ path: join(shots, 'purge-phone.png') });
    await page.getByLabel('The id of the instance once more').fill('unwanted');
    await page.getByRole('button', { name: 'Purge' }).click();
    await page.getByText('It is forgotten.').waitFor();
    await page.goto(`${pathTo('audit')}?verb=purge`);
    expect(await page.getByRole('row', { name: /operator .*purge .*unwanted/ }).count()).toBe(1);
    // What it refused was told with its status, which the browser writes down.
    expect(complaints.filter((one) => !one.includes('status of 400'))).toEqual([]);
    await context.close();
  },
);

test('Pages are kept by nobody, run nothing of strangers, and are framed and left by nobody.', async () => {
  const { status, headers } = await ask('/operator');
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  const policy = headers['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*/);
});

/** As a browser listens, from whose answer is read until a text has come. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const ending = new AbortController();
  const authorization = `Basic ${btoa(login)}`;
  const answer = await fetch(`${world.broker.url}${path}`, {
    headers: { authorization, accept: 'text/event-stream', ...headers },
    signal: ending.signal,
  });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    type: answer.headers.get('content-type'),
    async until(wanted: RegExp) {
      while (!wanted.test(text)) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        if (done) throw new Error(`It has ended with ${text}`);
        text += value;
      }
      return text;
    },
    stop: () => ending.abort(),
  };
}

test('A stream of events holds what is on a page, and goes on with what has changed.', async () => {
  const id = '00000000-0000-4000-8000-000000000006';
  const path = pathTo('instance', id);
  const first = await listen(path);
  expect(first.type).toBe('text/event-stream; charset=utf-8');
  const text = await first.until(/^data: .+\n\n/m);
  expect(JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? '')).toContain('orders-6');
  const known = /^id: (.+)$/m.exec(text)?.[1] ?? '';
  const again = await listen(path, { 'last-event-id': known });
  const { status, text: told } = await world.broker.ask('patch', `/v2/service_instances/${id}`, {
    body: { service_id: 'echo_service', context: { platform: 'cloudfoundry', instance_name: 'renamed-6' } },
  });
  expect([status, told]).toEqual([200, expect.any(String)]);
  const later = await first.until(/renamed-6/);
  expect(later.match(/^id: /gm)).toHaveLength(2);
  const other = await again.until(/renamed-6/);
  expect([other.match(/^id: /gm)?.length, other.includes(known)]).toEqual([1, false]);
  for (const one of [first, again]) one.stop();
});

test('A stream of a page that changes no more says so, and ends.', async () => {
  const { operation = '' } = await paths();
  const stream = await listen(operation);
  await stream.until(/^event: end$/m);
  await expect(stream.until(/never/)).rejects.toThrow('It has ended');
});

test('Nobody sees a page without the login of an operator, and what is refused is a page too.', async () => {
  for (const [who, status] of [
    [undefined, 401],
    [`broker:${world.broker.password}`, 401],
    [login, 200],
  ] as const) {
    const reply = await world.broker.ask('get', '/operator', { login: who });
    expect([who, reply.status, reply.text.includes('Overview</h1>')]).toEqual([who, status, status === 200]);
  }
  const wrong = await ask(`${pathTo('instances')}?ofering=web`);
  expect([wrong.status, wrong.headers['content-type']]).toEqual([400, 'text/html; charset=utf-8']);
  expect(wrong.text).toContain('ofering is not known in the query here');
  for (const id of [attack, '..']) {
    const gone = await ask(pathTo('instance', id));
    expect([gone.status, gone.text.includes(attack)]).toEqual([404, false]);
  }
  const unknown = await ask('/operator/nothing');
  expect([unknown.status, unknown.body]).toEqual([404, expect.objectContaining({ error: 'bad-request' })]);
});
