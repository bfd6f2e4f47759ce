import type { Catalog, ServiceOffering } from '../../../src/broker/catalog.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { scripted } from './scripted-broker.ts';

const offering: ServiceOffering = {
  id: 'cache',
  name: 'cache',
  description: 'Kéeps',
  tags: [],
  permissions: ['syslog_drain'],
  bindable: true,
  instancesRetrievable: true,
  bindingsRetrievable: false,
  allowContextUpdates: true,
  planUpdateable: false,
  plans: [aPlan()],
};
const loadedAt = new Date('2026-01-02T03:04:05.678Z');
const modified = 'Fri, 02 Jan 2026 03:04:05 GMT';

function selling(catalog: Catalog = { offerings: [offering], loadedAt }) {
  const { platform } = scripted({ catalog: () => catalog });
  return (headers: Record<string, string> = {}) => platform.get('/v2/catalog').set(headers);
}

test('CAT-01 to CAT-18: shows the market half in the words of the wire, and nothing of how things are made.', async () => {
  const answer = await selling()();
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    services: [
      {
        id: 'cache',
        name: 'cache',
        description: 'Kéeps',
        tags: [],
        requires: ['syslog_drain'],
        bindable: true,
        instances_retrievable: true,
        bindings_retrievable: false,
        allow_context_updates: true,
        plan_updateable: false,
        plans: [
          {
            id: 'small',
            name: 'small',
            description: 'A plan',
            free: true,
            bindable: true,
            plan_updateable: true,
            binding_rotatable: true,
          },
        ],
      },
    ],
  });
});

test('What is optional is shown when it is there.', async () => {
  const dashboardClient = { id: 'i', secret: 's', redirect_uri: 'https://x' };
  const more = {
    metadata: { costs: [] },
    schemas: { service_instance: {} },
    maximumPollingDuration: 60,
    maintenanceInfo: { version: '1.0.0', description: 'd' },
  };
  const rich = { ...offering, metadata: { displayName: 'D' }, dashboardClient, plans: [aPlan(more)] };
  const { body } = await selling({ offerings: [rich], loadedAt })();
  expect(body.services[0]).toMatchObject({
    metadata: { displayName: 'D' },
    dashboard_client: dashboardClient,
    plans: [
      {
        metadata: more.metadata,
        schemas: more.schemas,
        maximum_polling_duration: 60,
        maintenance_info: more.maintenanceInfo,
      },
    ],
  });
});

test('CAT-30: equal catalogs have equal tags, different ones different tags, whenever they were loaded.', async () => {
  const tagOf = async (catalog: Catalog) => (await selling(catalog)()).headers['etag'];
  const tag = await tagOf({ offerings: [offering], loadedAt });
  expect(tag).toMatch(/^"[\w-]{43}"$/);
  expect(await tagOf({ offerings: [{ ...offering }], loadedAt: new Date() })).toBe(tag);
  expect(await tagOf({ offerings: [{ ...offering, name: 'other' }], loadedAt })).not.toBe(tag);
});

describe('A conditional request', () => {
  const get = selling();
  let tag = '';
  beforeAll(async () => {
    tag = String((await get()).headers['etag']);
  });

  test.each([
    ['the tag', () => tag],
    ['the tag marked as weak', () => `W/${tag}`],
    ['a list with the tag', () => `"a", W/"b",${tag} , "c"`],
    ['any', () => '*'],
  ])('CAT-30: with %s is 304 without a body, but with the tag.', async (_what, header) => {
    const answer = await get({ 'If-None-Match': header() });
    expect([answer.status, answer.text]).toEqual([304, '']);
    expect(answer.headers).toMatchObject({ etag: tag, 'last-modified': modified });
    expect(answer.headers).not.toHaveProperty('content-length');
  });

  test.each([
    ['another tag', () => '"other"'],
    ['the tag without quotes', () => tag.slice(1, -1)],
    ['the tag and something behind it', () => `"${tag.slice(1, -1)}x"`],
    ['nothing', () => ''],
    ['garbage', () => '"",,W/,\u00e4"*'],
  ])('CAT-30, CAT-32: with %s as If-None-Match is 200.', async (_what, header) => {
    expect((await get({ 'If-None-Match': header() })).status).toBe(200);
  });

  test.each([
    ['the same time', modified, 304],
    ['a later time', 'Sat, 03 Jan 2026 00:00:00 GMT', 304],
    ['a second earlier', 'Fri, 02 Jan 2026 03:04:04 GMT', 200],
    ['garbage', 'yesterday', 200],
    ['what only JavaScript takes for a date', '9999', 200],
    ['another format', '2027-01-01T00:00:00Z', 200],
    ['nothing', '', 200],
  ])('CAT-31, CAT-32: with %s as If-Modified-Since.', async (_what, since, status) => {
    expect((await get({ 'If-Modified-Since': since })).status).toBe(status);
  });

  test('The tag wins over the time.', async () => {
    expect((await get({ 'If-None-Match': '"other"', 'If-Modified-Since': modified })).status).toBe(200);
    const older = 'Thu, 01 Jan 2026 00:00:00 GMT';
    expect((await get({ 'If-None-Match': tag, 'If-Modified-Since': older })).status).toBe(304);
  });

  test('CAT-32: an unknown query has no influence.', async () => {
    expect((await get().query({ x: ['1', '2'], 'y[z]': '%' })).status).toBe(200);
  });
});

test('HEAD gives the headers of GET.', async () => {
  const { platform } = scripted({ catalog: () => ({ offerings: [offering], loadedAt }) });
  const answer = await platform.head('/v2/catalog');
  expect([answer.status, answer.headers['last-modified'], answer.text]).toEqual([200, modified, undefined]);
});
