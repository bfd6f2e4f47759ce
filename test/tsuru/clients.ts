// What tsuru sent and how it read the answers, generation by generation, written from the table of its history.
import type { Json, JsonObject } from '../../src/broker/json.ts';
import { envIn, type Answer, type Ask, type Sent } from './tsuru-cloud.ts';

export interface App {
  readonly name: string;
  readonly host: string;
  /** Addresses of the machines that its units run on; two units may share one. */
  readonly units: readonly string[];
}

export type Env = Readonly<Record<string, string>>;

/** What a tsuru knows of an instance: it sends all of it with a create, and with each update. */
export interface Known {
  readonly plan?: string;
  readonly team?: string;
  /** Another one for each request of a user. */
  readonly event?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: JsonObject;
}

/** One tsuru, of one age, that has the service. */
export interface Client {
  readonly create: (name: string, known?: Known) => Promise<void>;
  readonly update?: (name: string, known: Known) => Promise<void>;
  readonly destroy: (name: string) => Promise<void>;
  readonly status: (name: string) => Promise<'up' | 'pending' | 'down'>;
  readonly info: (name: string) => Promise<readonly { label: string; value: string }[]>;
  readonly plans: () => Promise<readonly string[]>;
  /** The app's environment afterwards. */
  readonly bind: (name: string, app: App) => Promise<Env>;
  readonly unbind: (name: string, app: App) => Promise<void>;
  readonly addUnit: (name: string, app: App, host: string) => Promise<void>;
  readonly removeUnit: (name: string, app: App, host: string) => Promise<void>;
  readonly bindJob?: (name: string, job: string) => Promise<Env>;
  readonly unbindJob?: (name: string, job: string) => Promise<void>;
}

export type Generation = (ask: Ask, service: string) => Client;

function requireOk(answer: Answer): Answer {
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.text}`);
  return answer;
}

type Form = NonNullable<Sent['form']>;

function told(form: Readonly<Record<string, string | readonly string[] | undefined>>): Form {
  return Object.fromEntries(Object.entries(form).filter(([, value]) => value !== undefined)) as Form;
}

/** As the form library of Go writes it that tsuru uses: whatever is zero or empty is an empty text. */
function formOf(value: Json, name: string): Form {
  const isZero = value === 0 || value === false || value === null;
  if (isZero || (typeof value === 'object' && Object.keys(value).length === 0)) return { [name]: '' };
  if (typeof value !== 'object') return { [name]: String(value) };
  const members = Object.entries(value).map(([key, inner]: [string, Json]) =>
    formOf(inner, `${name}.${key.replaceAll('\\', '\\\\').replaceAll('.', '\\.')}`),
  );
  return Object.assign({}, ...members) as Form;
}

/** A map that is there and empty is `parameters.=`; one that never was is nothing. */
function parametersForm(parameters: JsonObject | undefined): Form {
  if (!parameters) return {};
  return Object.keys(parameters).length === 0 ? { 'parameters.': '' } : formOf(parameters, 'parameters');
}

const user = 'someone@example.com';

type Shared = Pick<Client, 'create' | 'destroy' | 'status' | 'info' | 'plans'>;

/** @param form what this age sends with a create */
function shared(ask: Ask, service: string, form: (known: Known) => Form): Shared {
  const at = (path: string) => `${service}/resources${path}`;
  return {
    async create(name, known = {}) {
      requireOk(await ask('POST', at(''), { form: { name, ...form(known) } }));
    },
    async destroy(name) {
      requireOk(await ask('DELETE', at(`/${name}`)));
    },
    async status(name) {
      const { status, text } = await ask('GET', at(`/${name}/status`));
      if (status === 204) return 'up';
      if (status === 202) return 'pending';
      if (status === 500) return 'down';
      throw new Error(`${status}: ${text}`);
    },
    async info(name) {
      const { status, text } = await ask('GET', at(`/${name}`));
      return status === 200 ? (JSON.parse(text) as { label: string; value: string }[]) : [];
    },
    async plans() {
      const { status, text } = await ask('GET', at('/plans'));
      return status === 200 ? (JSON.parse(text) as { name: string }[]).map(({ name }) => name) : [];
    },
  };
}

/** 2012-08 to 2014-10: an app is bound by one call for each unit, all at once; the first answer is the environment. */
export const generationA: Generation = (ask, service) => {
  const at = (name: string) => `${service}/resources/${name}`;
  const bindUnit = async (name: string, app: App, host: string) =>
    envIn(requireOk(await ask('POST', at(name), { form: { 'unit-host': host, 'app-host': app.host } })));
  const unbindUnit = async (name: string, host: string) =>
    void requireOk(await ask('DELETE', `${at(name)}/hostname/${host}`));
  return {
    ...shared(ask, service, ({ plan }) => told({ plan })),
    bind: async (name, app) => Promise.race(await allOf(app.units, (host) => bindUnit(name, app, host))),
    async unbind(name, app) {
      for (const host of app.units) await unbindUnit(name, host);
    },
    addUnit: async (name, app, host) => void (await bindUnit(name, app, host)),
    removeUnit: (name, _app, host) => unbindUnit(name, host),
  };
};

/** For the sake of the test all answers are waited for, and have to be the same. */
async function allOf(
  hosts: readonly string[],
  bindUnit: (host: string) => Promise<Env>,
): Promise<Promise<Env>[]> {
  const all = await Promise.all(hosts.map(bindUnit));
  for (const one of all) expect(one).toEqual(all[0]);
  return all.map((one) => Promise.resolve(one));
}

/** To 2014-11: still by unit, at a path of its own; both hosts in the body, also in that of the DELETE. */
export const generationB: Generation = (ask, service) => {
  const at = (name: string) => `${service}/resources/${name}/bind`;
  const form = (app: App, host: string) => ({ 'unit-host': host, 'app-host': app.host });
  const bindUnit = async (name: string, app: App, host: string) =>
    envIn(requireOk(await ask('POST', at(name), { form: form(app, host) })));
  const unbindUnit = async (name: string, app: App, host: string) =>
    void requireOk(await ask('DELETE', at(name), { form: form(app, host) }));
  return {
    ...shared(ask, service, ({ plan, team = 'a-team' }) => told({ user, team, plan })),
    bind: async (name, app) => Promise.race(await allOf(app.units, (host) => bindUnit(name, app, host))),
    async unbind(name, app) {
      await Promise.all(app.units.map((host) => unbindUnit(name, app, host)));
    },
    addUnit: async (name, app, host) => void (await bindUnit(name, app, host)),
    removeUnit: unbindUnit,
  };
};

/** To 2023-04: the app is bound as a whole, units only for lists of allowed hosts. */
export const generationC: Generation = (ask, service) => {
  const at = (name: string, word: string) => `${service}/resources/${name}/${word}`;
  const form = ({ name, host }: App) => ({ 'app-name': name, 'app-host': host, user: 'someone@example.com' });
  const addUnit = async (name: string, app: App, host: string) =>
    void requireOk(await ask('POST', at(name, 'bind'), { form: { ...form(app), 'unit-host': host } }));
  const removeUnit = async (name: string, app: App, host: string) =>
    void requireOk(await ask('DELETE', at(name, 'bind'), { form: { ...form(app), 'unit-host': host } }));
  return {
    ...shared(ask, service, everything),
    async update(name, known) {
      const form = { description: '', plan: '', ...everything(known) };
      requireFound(await ask('PUT', `${service}/resources/${name}`, { form }));
    },
    async bind(name, app) {
      const answer = await bindWithFallback(ask, at(name, 'bind-app'), at(name, 'bind'), { form: form(app) });
      for (const host of app.units) await addUnit(name, app, host);
      return answer;
    },
    async unbind(name, app) {
      for (const host of app.units) await removeUnit(name, app, host);
      requireOk(await ask('DELETE', at(name, 'bind-app'), { form: form(app) }));
    },
    addUnit,
    removeUnit,
  };
};

function everything({ plan, team = 'a-team', event, description, tags, parameters }: Known): Form {
  return { ...told({ user, team, eventid: event, plan, description, tags }), ...parametersForm(parameters) };
}

/** An update is a thing that a service may not have. */
function requireFound(answer: Answer): void {
  if (answer.status !== 404) requireOk(answer);
}

type Body = Parameters<Ask>[2];

async function bindWithFallback(ask: Ask, path: string, fallback: string, body: Body): Promise<Env> {
  const answer = await ask('POST', path, body);
  return envIn(requireOk(answer.status === 404 ? await ask('POST', fallback, body) : answer));
}

/** Today, with JSON bodies: apps and jobs, no units any more. */
export const generationD: Generation = (ask, service) => {
  const at = (path: string) => `${service}/resources${path}`;
  const by = (event = '5f3e0c') => ({ user, eventID: event });
  const headersOf = ({ user: name, eventID }: ReturnType<typeof by>) => ({
    'X-Tsuru-User': name,
    'X-Tsuru-Eventid': eventID,
  });
  const headers = headersOf(by());
  const complete = ({ plan = '', team = 'a-team', event, description, tags, parameters }: Known) => ({
    json: { ...by(event), team, tags, plan, description, parameters },
    headers: headersOf(by(event)),
  });
  const appBody = ({ name, host }: App) => ({
    headers,
    json: {
      ...by(),
      appName: name,
      appHosts: [host, `other.${host}`],
      appInternalHosts: [],
      appPoolName: 'pool',
    },
  });
  return {
    ...shared(ask, service, () => ({})),
    async create(name, known = {}) {
      const { json, ...rest } = complete(known);
      requireOk(await ask('POST', at(''), { json: { name, ...json }, ...rest }));
    },
    async update(name, known) {
      requireFound(await ask('PUT', at(`/${name}`), complete(known)));
    },
    async destroy(name) {
      requireOk(await ask('DELETE', at(`/${name}`), { headers, json: by() }));
    },
    bind: (name, app) => bindWithFallback(ask, at(`/${name}/bind-app`), at(`/${name}/bind`), appBody(app)),
    async unbind(name, app) {
      requireOk(await ask('DELETE', at(`/${name}/bind-app`), appBody(app)));
    },
    addUnit: async () => undefined,
    removeUnit: async () => undefined,
    async bindJob(name, job) {
      const json = { ...by(), jobName: job, jobPoolName: 'pool', jobClusterName: 'cluster' };
      return envIn(requireOk(await ask('PUT', at(`/${name}/binds/jobs/${job}`), { headers, json })));
    },
    async unbindJob(name, job) {
      requireOk(await ask('DELETE', at(`/${name}/binds/jobs/${job}`), { headers, json: by() }));
    },
  };
};
