import { Ajv as AnyDraft } from 'ajv';
import draft2019 from 'ajv/dist/2019.js';
import draft2020 from 'ajv/dist/2020.js';
import draft04 from 'ajv-draft-04';
import { instancePlatform } from '../support/instance-platform.ts';

/** spec.md, Catalog Management, and profile.md, Service Metadata; with what Cloud Controller asks of a catalog. */

const { ask, bind, ended, fetchBinding, made, brokers } = instancePlatform({}, { brokers: 2 });

type Members = Readonly<Record<string, unknown>>;

interface Plan extends Members {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly schemas?: Readonly<Record<string, Readonly<Record<string, { readonly parameters?: Members }>>>>;
}

interface Service extends Members {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly plans: readonly Plan[];
}

let services: readonly Service[] = [];
let plans: readonly Plan[] = [];
/** What can stand in a plan or in its service. */
let things: readonly (Service | Plan)[] = [];
let schemas: readonly (readonly [plan: string, schema: Members])[] = [];

beforeAll(async () => {
  const { body } = await ask('get', '/v2/catalog');
  services = body['services'] as readonly Service[];
  plans = services.flatMap((service) => service.plans);
  things = [...services, ...plans];
  schemas = plans.flatMap(({ name, schemas: tree = {} }) =>
    Object.values(tree).flatMap((actions) =>
      Object.values(actions).flatMap(({ parameters }) => (parameters ? [[name, parameters] as const] : [])),
    ),
  );
});

const object = expect.any(Object) as unknown;
const text = expect.stringMatching(/\S/) as string;
const flag = expect.any(Boolean) as boolean;

describe('The catalog', () => {
  test('The catalog is a JSON object with an array of services, none of them without plans [CAT-01, CAT-14, CAT-40]', async () => {
    const { status, headers, body } = await ask('get', '/v2/catalog');
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json' });
    expect(Object.keys(body)).toEqual(['services']);
    expect(services.length).toBeGreaterThan(5);
    for (const service of services) expect(service.plans.length).toBeGreaterThan(0);
  });

  test('The catalog names and describes everything [CAT-02, CAT-05, CAT-07, CAT-15, CAT-16, CAT-17, CAT-43]', () => {
    for (const { id, name, description } of things) {
      expect({ id, name, description }).toEqual({ id: text, name: text, description: text });
    }
  });

  test('The catalog names nothing twice [CAT-03, CAT-05, CAT-15, CAT-16]', () => {
    const twice = (names: readonly string[]) => names.filter((name, index) => names.indexOf(name) !== index);
    expect(twice(services.map(({ name }) => name))).toEqual([]);
    expect(twice(things.map(({ id }) => id))).toEqual([]);
    for (const service of services) expect(twice(service.plans.map(({ name }) => name))).toEqual([]);
  });

  test('The catalog has names that can be typed and texts that are short [CAT-04, CAT-27, CAT-41]', () => {
    for (const { id, name, description } of things) {
      expect(name).toMatch(/^(?=.*[A-Za-z0-9])[A-Za-z0-9.-]{1,255}$/);
      expect(id.length).toBeLessThanOrEqual(255);
      expect(description.length).toBeLessThanOrEqual(255);
    }
  });

  test('The catalog has GUIDs as ids, but for echo and invert, whose ids are older [CAT-06]', () => {
    const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
    const others = things.map(({ id }) => id).filter((id) => !guid.test(id));
    expect(others).toEqual(['echo_service', 'invert_service', 'big_0001', 'small_0001']);
  });

  test('The catalog has members of the right types [CAT-08, CAT-09, CAT-10, CAT-11, CAT-12, CAT-44]', () => {
    for (const service of services) {
      expect(service).toMatchObject({
        bindable: flag,
        instances_retrievable: flag,
        bindings_retrievable: flag,
        allow_context_updates: flag,
        plan_updateable: flag,
      });
      const {
        tags,
        requires,
        metadata = {},
      } = service as { tags?: unknown; requires?: unknown; metadata?: unknown };
      for (const tag of tags as readonly unknown[]) expect(tag).toEqual(text);
      expect((tags as readonly string[]).join('').length).toBeLessThanOrEqual(2048);
      expect(['syslog_drain', 'route_forwarding', 'volume_mount']).toEqual(
        expect.arrayContaining(requires as string[]),
      );
      expect(metadata).toEqual(object);
    }
  });

  test('The catalog has plans whose members have the right types [CAT-18, CAT-12]', () => {
    for (const plan of plans) {
      const { maximum_polling_duration: longest = 1, metadata = {} } = plan;
      expect(plan).toMatchObject({
        free: flag,
        bindable: flag,
        binding_rotatable: flag,
        plan_updateable: flag,
      });
      expect(Number.isSafeInteger(longest)).toBe(true);
      expect(metadata).toEqual(object);
    }
    expect(plans.some((plan) => plan['maximum_polling_duration'] === 60)).toBe(true);
  });

  test('The catalog has dashboard clients with id, secret and address, each its own [CAT-13, CAT-43]', () => {
    const clients = services.flatMap(({ dashboard_client: client }) => (client ? [client as Members] : []));
    expect(clients.length).toBeGreaterThan(0);
    for (const client of clients) {
      expect(client).toEqual({ id: text, secret: text, redirect_uri: expect.stringMatching(/^https?:/) });
    }
    expect(new Set(clients.map(({ id }) => id)).size).toBe(clients.length);
  });

  test('The catalog has maintenance versions that are semantic, with nothing else beside them [CAT-26, CAT-42]', () => {
    const infos = plans.flatMap(({ maintenance_info: info }) => (info ? [info as Members] : []));
    expect(infos.length).toBeGreaterThan(0);
    for (const { version, description = '', ...others } of infos) {
      expect(version).toMatch(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/);
      expect(typeof description).toBe('string');
      expect(others).toEqual({});
    }
  });

  test('The catalog has metadata of the conventional types [CAT-28]', () => {
    const types = {
      displayName: 'string',
      documentationUrl: 'string',
      supportUrl: 'string',
      shareable: 'boolean',
    };
    const all = things.flatMap(({ metadata }) => (metadata ? [metadata as Members] : []));
    for (const [name, type] of Object.entries(types)) {
      for (const metadata of all) if (name in metadata) expect(typeof metadata[name]).toBe(type);
    }
    expect(all).toContainEqual({ displayName: 'Brief', bullets: ['Soon done'], costs: [cost] });
  });

  const cost = { amount: { eur: 1.5 }, unit: 'MONTHLY' };

  test('The catalog promises that bindings can be fetched where they are made asynchronously only [CAT-45, BND-30]', async () => {
    expect(services.find(({ name }) => name === 'moments')).toMatchObject({ bindings_retrievable: true });
    const id = await made('moments/async-only');
    expect(await bind(id, 'b', 'moments/async-only')).toMatchObject({ status: 202 });
    await ended(`${id}/service_bindings/b`);
    expect(await fetchBinding(id, 'b')).toMatchObject({
      status: 200,
      body: { credentials: { password: text } },
    });
  });

  test('The catalog leaves out what there is not, rather than saying null [CAT-44]', async () => {
    const response = await brokers()[0]?.ask('get', '/v2/catalog');
    expect(response?.text).not.toContain(':null');
  });
});

describe('A schema of parameters', () => {
  test('A schema of parameters is an object at every level, and says which draft it is of [CAT-19, CAT-20, CAT-23]', () => {
    expect(schemas.length).toBeGreaterThan(10);
    for (const [, schema] of schemas) {
      expect(schema).toMatchObject({
        $schema: expect.stringMatching(/^https?:\/\/json-schema\.org\//),
        type: 'object',
      });
    }
    for (const { schemas: tree = {} } of plans) {
      const { service_instance: instance = {}, service_binding: binding = {}, ...others } = tree;
      const { create, update, ...more } = instance;
      expect([others, more]).toEqual([{}, {}]);
      for (const action of [create, update, binding['create']])
        if (action) expect(action).toEqual({ parameters: object });
    }
  });

  test('A schema of parameters is small and refers to nothing outside [CAT-21, CAT-22]', () => {
    for (const [, schema] of schemas) {
      const json = JSON.stringify(schema);
      expect(json.length).toBeLessThanOrEqual(65_536);
      expect(json).not.toMatch(/"\$ref":"(?!#)/);
    }
  });

  test('A schema of parameters is good in its own draft: references are found, patterns can be compiled [CAT-24]', () => {
    const drafts = { 'draft-04': draft04.default, 2019: draft2019.default, 2020: draft2020.default } as const;
    for (const [, schema] of schemas) {
      const named = Object.entries(drafts).find(([draft]) => String(schema['$schema']).includes(draft));
      const draft06or07 = { ...schema, $schema: undefined };
      if (named) expect(() => new named[1]({ strict: false }).compile(schema)).not.toThrow();
      else expect(() => new AnyDraft({ strict: false }).compile(draft06or07)).not.toThrow();
    }
  });

  test('A schema of parameters is good in draft 04 as Cloud Controller reads it, but for those that the trial has to show newer ones [CAT-25]', () => {
    const drafts = new Set(schemas.map(([, schema]) => String(schema['$schema'])));
    expect(drafts.size).toBe(5);
    const ofFour = schemas.filter(([, schema]) => String(schema['$schema']).includes('draft-04'));
    for (const [, schema] of ofFour)
      expect(new draft04.default({ strict: false }).validateSchema(schema)).toBe(true);
    const newer = schemas.filter(([plan]) => !plan.startsWith('draft-'));
    expect(newer.every(([, schema]) => String(schema['$schema']).includes('draft-04'))).toBe(true);
  });
});

describe('Asked for again', () => {
  test('Asked for again, the catalog is the same, whichever broker is asked [CAT-29]', async () => {
    const texts = await Promise.all(
      [...brokers(), ...brokers()].map((broker) => broker.ask('get', '/v2/catalog')),
    );
    expect(new Set(texts.map((response) => response.text)).size).toBe(1);
    expect(new Set(texts.map((response) => String(response.headers['etag']))).size).toBe(1);
  });

  async function validators(): Promise<{ etag: string; modified: string }> {
    const { etag = '', 'last-modified': modified = '' } = (await ask('get', '/v2/catalog')).headers;
    return { etag, modified };
  }

  test.each<[what: string, value: (etag: string) => string]>([
    ['the tag', (etag) => etag],
    ['the tag as a weak one', (etag) => `W/${etag}`],
    ['the tag among others', (etag) => `"another", ${etag}`],
    ['any tag', () => '*'],
  ])(
    'Asked for again with If-None-Match of %s the catalog is 304 without a body [CAT-30]',
    async (_what, value) => {
      const { etag } = await validators();
      expect(etag).toMatch(/^"[!#-~]+"$/);
      const headers = { 'if-none-match': value(etag) };
      for (const broker of brokers()) {
        const { status, text: sent, headers: told } = await broker.ask('get', '/v2/catalog', { headers });
        expect({ status, sent, etag: String(told['etag']) }).toEqual({ status: 304, sent: '', etag });
      }
    },
  );

  test.each(['"another"', 'W/"another"', '"a", "b"', 'garbage', '""', ','])(
    'Asked for again with If-None-Match of %s the catalog is there in full [CAT-30, CAT-32]',
    async (tag) => {
      const answer = await ask('get', '/v2/catalog', { headers: { 'if-none-match': tag } });
      expect(answer).toMatchObject({ status: 200, body: { services: expect.any(Array) } });
    },
  );

  test('Asked for again with If-Modified-Since the catalog is 304 unless it has changed after that [CAT-31]', async () => {
    const { modified } = await validators();
    expect(new Date(modified).toUTCString()).toBe(modified);
    const since = (date: string) => ask('get', '/v2/catalog', { headers: { 'if-modified-since': date } });
    const daysFrom = (days: number) => new Date(Date.parse(modified) + days * 86_400_000).toUTCString();
    // Of the two brokers the second has loaded its catalog later.
    expect(await since(daysFrom(1))).toMatchObject({ status: 304 });
    expect(await since(daysFrom(1))).toMatchObject({ status: 304 });
    expect(await since(daysFrom(-1))).toMatchObject({ status: 200 });
  });

  test.each(['garbage', '', '0', '2020-01-01', 'Thu, 99 Foo 2020 99:99:99 GMT'])(
    'Asked for again with If-Modified-Since of "%s" the catalog is there in full [CAT-32]',
    async (date) => {
      expect(await ask('get', '/v2/catalog', { headers: { 'if-modified-since': date } })).toMatchObject({
        status: 200,
      });
    },
  );

  test('The tag of the catalog decides when both conditions are sent [CAT-30, CAT-31]', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toUTCString();
    const headers = { 'if-none-match': '"another"', 'if-modified-since': tomorrow };
    expect(await ask('get', '/v2/catalog', { headers })).toMatchObject({ status: 200 });
  });

  test.each<Record<string, string>>([{ unknown: 'x' }, { 'a[b][]': '1' }, { accepts_incomplete: 'maybe' }])(
    'Asked for again with the query %j the catalog is the same [CAT-32]',
    async (query) => {
      expect(await ask('get', '/v2/catalog', { query })).toMatchObject({ status: 200 });
    },
  );
});
