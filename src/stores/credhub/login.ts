import { readFileSync } from 'node:fs';
import { isObject, type Json } from '../../broker/json.ts';
import { requireDone } from './refusal.ts';
import { sendTo, type CredhubFiles } from './send.ts';

/** A client of the UAA that CredHub names. */
export interface UaaClient {
  readonly name: string;
  readonly secretFile: string;
}

/** How the broker says who it is, beside a client certificate. */
export interface CredhubLogin {
  /** Of the next request. */
  headers(): Promise<{ readonly authorization?: string }>;
  /** What was said last is refused, although its time is not over; false: there is nothing else to say. */
  forget(): boolean;
}

/** Seconds before its end at which a token is not used any more. */
const margin = 60;

export function credhubLogin(url: string, files: CredhubFiles, client: UaaClient | undefined): CredhubLogin {
  let token: { readonly value: string; readonly until: number } | undefined;

  async function tokenOf({ name, secretFile }: UaaClient): Promise<string> {
    if (token && performance.now() < token.until) return token.value;
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: name,
      client_secret: readFileSync(secretFile, 'utf8').trim(),
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const place = new URL(`${await addressOfUaa(url, files)}/oauth/token`);
    const answer = await sendTo(files, { method: 'POST', url: place, headers, body });
    requireDone('UAA', 'the login', answer);
    const { access_token: value, expires_in: seconds } = answer.body;
    if (typeof value !== 'string') throw new Error('UAA gave no token.');
    const lifetime = typeof seconds === 'number' ? seconds : 0;
    token = { value, until: performance.now() + (lifetime - margin) * 1000 };
    return value;
  }

  return {
    async headers() {
      if (!client) return {};
      return { authorization: `Bearer ${await tokenOf(client)}` };
    },
    forget() {
      token = undefined;
      return client !== undefined;
    },
  };
}

async function addressOfUaa(url: string, files: CredhubFiles): Promise<string> {
  const answer = await sendTo(files, { method: 'GET', url: new URL(`${url}/info`) });
  requireDone('CredHub', 'GET /info', answer);
  const server: Json | undefined = answer.body['auth-server'];
  const address = isObject(server) ? server['url'] : undefined;
  if (typeof address !== 'string' || !address.startsWith('https://'))
    throw new Error('CredHub does not say where its UAA is.');
  return address.replace(/\/+$/, '');
}
