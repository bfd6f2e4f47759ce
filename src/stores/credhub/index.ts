// CredHub keeps the credentials of bindings, and Cloud Foundry hands them to their reader by a reference.
import type { CredentialStore } from '../../broker/credential-store.ts';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { bindingKey, instanceKey } from '../../broker/key.ts';
import { credhubLogin, type UaaClient } from './login.ts';
import { requireDone } from './refusal.ts';
import { sendTo, type CredhubAnswer, type CredhubFiles } from './send.ts';

export interface CredhubSettings extends CredhubFiles {
  /** Without a slash at its end. */
  readonly url: string;
  /** Absent: the certificate says who asks. */
  readonly client?: UaaClient | undefined;
  /** Below which all names are; of these brokers alone. */
  readonly path: string;
}

type Ask = (
  method: string,
  place: string,
  given?: {
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: JsonObject;
    readonly signal?: AbortSignal | undefined;
  },
) => Promise<CredhubAnswer>;

const [data, permissions] = ['/api/v1/data', '/api/v2/permissions'] as const;
/** What an orphan is called, before its name in CredHub. */
const called = 'credentials ';

/** By the API of CredHub 2. Names are `<path>/<offering>/<binding>/<key of the instance>`. */
export function credhub(settings: CredhubSettings): CredentialStore {
  const ask = askOf(settings);
  return {
    name: 'credhub',
    traits: {},
    nameOf(binding, instance, offering) {
      const { id } = binding;
      const told = /^[\w.-]{1,64}$/.test(id) ? id : bindingKey(binding);
      return `${settings.path}/${offering.replaceAll(/[^\w.-]/g, '-').slice(0, 50)}/${told}/${instanceKey(instance)}`;
    },
    async put({ name, reader }, credentials, signal) {
      const asked = { body: { name, type: 'json', value: credentials }, signal };
      requireDone('CredHub', `PUT ${data}`, await ask('PUT', data, asked));
      await permit(ask, name, reader, signal);
      return { 'credhub-ref': name };
    },
    async remove({ name, reader }, signal) {
      await forbid(ask, name, reader, signal);
      await removeData(ask, name, signal);
    },
    async inventory() {
      const answer = await ask('GET', data, { query: { path: settings.path } });
      requireDone('CredHub', `GET ${data}`, answer);
      return namesIn(answer.body['credentials']).flatMap((name) => {
        const [, key] = /\/(p[0-9a-f]{20})$/.exec(name) ?? [];
        return key === undefined ? [] : [{ name: `${called}${name}`, key }];
      });
    },
    async purge({ name: shown }) {
      const name = shown.slice(called.length);
      for (const reader of await readersOf(ask, name)) await forbid(ask, name, reader);
      await removeData(ask, name);
    },
  };
}

function askOf({ url, client, ca, cert, key }: CredhubSettings): Ask {
  const files = { ca, cert, key };
  const login = credhubLogin(url, files, client);
  return async (method, place, { query = {}, body, signal } = {}) => {
    const address = new URL(`${url}${place}`);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    const text = body && JSON.stringify(body);
    const send = async () => {
      const headers = { 'content-type': 'application/json', ...(await login.headers()) };
      return sendTo(files, { method, url: address, headers, body: text, signal });
    };
    const answer = await send();
    // A token may end before its time, by a new key of UAA.
    return answer.status === 401 && login.forget() ? send() : answer;
  };
}

/** Permission that is there already is told by 409: a step before has got so far. */
async function permit(ask: Ask, path: string, actor: string, signal: AbortSignal): Promise<void> {
  const answer = await ask('POST', permissions, { body: { path, actor, operations: ['read'] }, signal });
  if (answer.status !== 409) requireDone('CredHub', `POST ${permissions}`, answer);
}

/** Permissions outlive what they are about, so they go first: then nothing is left that nobody finds. */
async function forbid(ask: Ask, path: string, actor: string, signal?: AbortSignal): Promise<void> {
  const found = await ask('GET', permissions, { query: { path, actor }, signal });
  if (found.status === 404) return;
  requireDone('CredHub', `GET ${permissions}`, found);
  const { uuid } = found.body;
  if (typeof uuid !== 'string') throw new Error('CredHub tells of a permission without its uuid.');
  const answer = await ask('DELETE', `${permissions}/${encodeURIComponent(uuid)}`, { signal });
  if (answer.status !== 404) requireDone('CredHub', `DELETE ${permissions}`, answer);
}

/** 404 is what CredHub says of what is not there, and of what the broker may not remove. */
async function removeData(ask: Ask, name: string, signal?: AbortSignal): Promise<void> {
  const answer = await ask('DELETE', data, { query: { name }, signal });
  if (answer.status !== 404) return requireDone('CredHub', `DELETE ${data}`, answer);
  const left = await ask('GET', data, { query: { name, current: 'true' }, signal });
  if (left.status === 200) requireDone('CredHub', `DELETE ${data}`, answer);
}

/** Who may read it, and nothing else: those whom a bind has let in. */
async function readersOf(ask: Ask, name: string): Promise<readonly string[]> {
  const answer = await ask('GET', '/api/v1/permissions', { query: { credential_name: name } });
  if (answer.status === 404) return [];
  requireDone('CredHub', 'GET /api/v1/permissions', answer);
  const found = answer.body['permissions'];
  return (Array.isArray(found) ? (found as readonly Json[]) : []).flatMap((one) => {
    if (!isObject(one)) return [];
    const { actor, operations } = one;
    return typeof actor === 'string' && JSON.stringify(operations) === '["read"]' ? [actor] : [];
  });
}

function namesIn(credentials: Json | undefined): readonly string[] {
  return (Array.isArray(credentials) ? (credentials as readonly Json[]) : []).flatMap((one) =>
    isObject(one) && typeof one['name'] === 'string' ? [one['name']] : [],
  );
}
