// A day in the life of a broker: everything that has to do with secrets happens once.
import { readKeys } from '../../src/stores/keyring.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { sealedStore } from '../../src/stores/sealed.ts';
import type { TestDatabase } from '../support/database.ts';
import { offeringId, quick, writeOffering } from './offering.ts';
import { basic, dump, type Asked, type RecordedProgram, type Role } from './recorded-program.ts';
import { given, offering, plans, type Given } from './secret-plans.ts';
import { until } from '../support/until.ts';

export interface Day {
  readonly recorded: RecordedProgram;
  readonly database: TestDatabase;
  readonly role: Role;
  /** Where the offering is. */
  readonly scratch: string;
  /** Receives the secrets that the broker makes, by what they are. */
  readonly made: Map<string, string>;
}

/** Gives what lies in the tables while the most is going on. */
export async function liveADay(day: Day): Promise<ReadonlyMap<string, string>> {
  await logIn(day);
  await useAnInstance(day);
  await useAnEcho(day);
  await sendWhatIsRefused(day);
  await meetFailures(day);
  await meetFailuresWithOwnSecrets(day);
  await askForTheRest(day);
  const tables = await lookInside(day);
  await breakThings(day);
  return tables;
}

/** Asks, and wants this status. */
async function go(
  { recorded }: Day,
  what: string,
  status: number,
  request: string,
  asked?: Asked,
): Promise<string> {
  const [method = '', path = ''] = request.split(' ');
  const told = await recorded.ask(what, method, path, asked);
  expect(`${what}: ${told.status}`).toBe(`${what}: ${status}`);
  return told.text;
}

const instances = '/v2/service_instances';
const where = { organization_guid: 'o', space_guid: 's', context: { instance_name: 'told to everybody' } };
const body = (plan: string, token?: string) => ({
  service_id: offeringId,
  plan_id: plan,
  ...(token === undefined ? {} : { parameters: { token } }),
});
const query = (plan: string) => ({ service_id: offeringId, plan_id: plan });

async function logIn(day: Day): Promise<void> {
  const wrong = given['a wrong password'];
  const header = encodeURIComponent(given['a header that is no login']);
  for (const authorization of [
    basic('broker', wrong),
    basic(wrong, wrong),
    `Basic ${header}`,
    `Bearer ${header}`,
  ]) {
    await go(day, 'a bad login', 401, 'GET /v2/catalog', { authorization });
  }
  const authorization = basic('second', given['the second password']);
  await go(day, 'a login', 200, 'GET /v2/catalog', { authorization });
}

async function useAnInstance(day: Day): Promise<void> {
  const first = { ...body(quick, given['a parameter of a provision']), ...where };
  const told = await go(day, 'provision', 201, `PUT ${instances}/kept`, { body: first });
  keep(day, 'a secret of an instance', told, /token=(\w+)/);
  await go(day, 'provision again', 200, `PUT ${instances}/kept`, { body: first });
  await go(day, 'fetch', 200, `GET ${instances}/kept`);
  const update = { service_id: offeringId, parameters: { token: given['a parameter of an update'] } };
  await go(day, 'update', 200, `PATCH ${instances}/kept`, { body: update });
  await go(day, 'fetch after the update', 200, `GET ${instances}/kept`);
  const binding = { ...body(quick), parameters: { key: given['a parameter of a bind'] } };
  const bound = await go(day, 'bind', 201, `PUT ${instances}/kept/service_bindings/b`, { body: binding });
  keep(day, 'a secret of a binding', bound, /"password":"(\w+)"/);
  await go(day, 'bind again', 200, `PUT ${instances}/kept/service_bindings/b`, { body: binding });
  await go(day, 'fetch binding', 200, `GET ${instances}/kept/service_bindings/b`);
  await go(day, 'poll', 200, `GET ${instances}/kept/last_operation`);
  await go(day, 'poll binding', 200, `GET ${instances}/kept/service_bindings/b/last_operation`);
}

function keep({ made }: Day, what: string, text: string, pattern: RegExp): string {
  const [, secret = ''] = pattern.exec(text) ?? [];
  expect(secret.length).toBeGreaterThan(10);
  made.set(what, secret);
  return secret;
}

async function useAnEcho(day: Day): Promise<void> {
  const ids = { service_id: 'echo_service', plan_id: 'big_0001' };
  const told = await go(day, 'provision echo', 201, `PUT ${instances}/echo`, { body: { ...ids, ...where } });
  const page = keep(day, 'the token of a dashboard', told, /token=(\w+)/);
  const bound = await go(day, 'bind echo', 201, `PUT ${instances}/echo/service_bindings/b`, { body: ids });
  const token = keep(day, 'the token of an echo', bound, /"token":"(\w+)"/);
  const message = { body: { message: 'hello' }, authorization: '' };
  await go(day, 'use', 200, 'POST /services/echo/echo/b', { ...message, query: { token } });
  const wrong = { token: given['a wrong token of an echo'] };
  await go(day, 'use wrongly', 401, 'POST /services/echo/echo/b', { ...message, query: wrong });
  await go(day, 'dashboard', 200, 'GET /dashboard/echo', { query: { token: page } });
  await go(day, 'no dashboard', 404, 'GET /dashboard/echo', { query: wrong });
}

async function sendWhatIsRefused(day: Day): Promise<void> {
  const refused = given['a parameter that is refused'];
  const at = `PUT ${instances}/refused`;
  for (const parameters of [{ token: [refused] }, { token: refused.repeat(9) }, [refused], refused]) {
    await go(day, 'what is refused', 400, at, { body: { ...body(quick), ...where, parameters } });
  }
  await go(day, 'what is refused', 409, `PUT ${instances}/kept`, {
    body: { ...body(quick, refused), ...where },
  });
  await go(day, 'what is refused', 400, at, { body: `{"parameters": "${given['a body that is no JSON']}` });
  const more = { ...query(quick), more: given['a part of a query that nobody reads'] };
  await go(day, 'what is refused', 410, `DELETE ${instances}/refused`, { query: more });
}

async function meetFailures(day: Day): Promise<void> {
  const provision = (id: string, of: Given, status: number) =>
    go(day, `failure ${id}`, status, `PUT ${instances}/${id}`, {
      body: { ...body(id, given[of]), ...where },
    });
  await provision('throws', 'a parameter in the error of a provision', 500);
  await provision('says-provision', 'a parameter in the sentence of a provision', 500);
  await go(day, 'poll failure', 200, `GET ${instances}/throws/last_operation`);
  expect(await go(day, 'poll failure', 200, `GET ${instances}/says-provision/last_operation`)).toContain(
    '***',
  );

  const update = {
    service_id: offeringId,
    parameters: { token: given['a parameter in the sentence of an update'] },
  };
  await provision('says-update', 'a parameter of a provision', 201);
  await go(day, 'failure', 500, `PATCH ${instances}/says-update`, { body: update });
  await provision('says-bind', 'a parameter of a provision', 201);
  const binding = {
    ...body('says-bind'),
    parameters: { key: given['a parameter in the sentence of a bind'] },
  };
  await go(day, 'failure', 500, `PUT ${instances}/says-bind/service_bindings/b`, { body: binding });
  await provision('says-unbind', 'a parameter in the sentence of an unbind', 201);
  await go(day, 'a binding', 201, `PUT ${instances}/says-unbind/service_bindings/b`, {
    body: body('says-unbind'),
  });
  const at = (id: string) => ({ query: query(id) });
  await go(day, 'failure', 500, `DELETE ${instances}/says-unbind/service_bindings/b`, at('says-unbind'));
  const leftOver = given['a parameter in the sentence of an unbind that a deprovision needs'];
  await provision('says-left-over', 'a parameter of a provision', 201);
  await go(day, 'a binding', 201, `PUT ${instances}/says-left-over/service_bindings/b`, {
    body: { ...body('says-left-over'), parameters: { key: leftOver } },
  });
  await go(day, 'removal', 200, `DELETE ${instances}/says-left-over`, at('says-left-over'));
  await provision('says-deprovision', 'a parameter in the sentence of a deprovision', 201);
  await go(day, 'failure', 500, `DELETE ${instances}/says-deprovision`, at('says-deprovision'));
}

/** What the broker made itself is known to the test only from the database; then an error says that, too. */
async function meetFailuresWithOwnSecrets(day: Day): Promise<void> {
  const asked = { body: { ...body('own'), ...where } };
  await go(day, 'failure of its own', 500, `PUT ${instances}/own`, asked);
  const store = sealedStore(
    postgresStore(day.database.pool),
    readKeys(`canary:${given['an encryption key']}`),
  );
  const found = await store.findInstance('own');
  const { master = '' } = found?.instance.confidential.secrets ?? {};
  keep(day, 'a secret of what failed', master, /(.+)/);
  const says = { id: 'own', with: { provision: { fails: `${master} is not the password.` } } };
  writeOffering(day.scratch, [...plans.filter(({ id }) => id !== 'own'), says], offering);
  await day.recorded.program.reload();
  expect(await go(day, 'failure of its own', 500, `PUT ${instances}/own`, asked)).toContain(
    '*** is not the password',
  );
  await go(day, 'poll failure', 200, `GET ${instances}/own/last_operation`);
}

async function askForTheRest(day: Day): Promise<void> {
  for (const path of ['/metrics', '/healthz', '/readyz', '/v2/catalog', '/no/such/path']) {
    await day.recorded.ask('the rest', 'GET', path);
  }
}

/** While an update goes on: what is open remembers its parameters until it ends. */
async function lookInside(day: Day): Promise<ReadonlyMap<string, string>> {
  await go(day, 'provision of what goes on', 201, `PUT ${instances}/open`, {
    body: { ...body('ongoing'), ...where },
  });
  const token = given['a parameter of an update that goes on'];
  const update = {
    body: { service_id: offeringId, parameters: { token } },
    query: { accepts_incomplete: 'true' },
  };
  await go(day, 'an update that goes on', 202, `PATCH ${instances}/open`, update);
  return dump(day.database);
}

/** A row under another key is told; a column that is not there is unexpected; a connection that breaks is trouble. */
async function breakThings(day: Day): Promise<void> {
  const exchange = (from: string, to: string) =>
    day.database.pool.query(
      `update service_instances set confidential = replace(confidential, $1, $2) where id = 'kept'`,
      [`"key":"${from}"`, `"key":"${to}"`],
    );
  await exchange('canary', 'another');
  await go(day, 'a row that cannot be read', 503, `GET ${instances}/kept`);
  await exchange('another', 'canary');
  const rename = (from: string, to: string) =>
    day.database.pool.query(`alter table service_instances rename column ${from} to ${to}`);
  await rename('operation_id', 'elsewhere');
  expect(await go(day, 'an unexpected error', 500, `GET ${instances}/kept`)).toContain('InternalError');
  await rename('elsewhere', 'operation_id');
  await day.role.cut();
  await until('it has told the trouble', () => day.recorded.outputs.get('the log')?.includes('trouble'));
}
