/** etcd's JSON by HTTP, as applications without a library speak it: keys and values are Base64. */
export interface EtcdLogin {
  readonly endpoint: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export type EtcdCall = readonly [path: string, body: object];

/** Makes these calls one after the other, with the login if there is one. @returns what was answered to each, as text */
export async function askEtcd(login: EtcdLogin, calls: readonly EtcdCall[]): Promise<readonly string[]> {
  const token = login.username === undefined ? undefined : await tokenOf(login);
  const answers: string[] = [];
  for (const call of calls) answers.push(await post(login.endpoint, call, token));
  return answers;
}

export function putKey(key: string, value: string): EtcdCall {
  return ['/v3/kv/put', { key: base64(key), value: base64(value) }];
}

export function getKey(key: string): EtcdCall {
  return ['/v3/kv/range', { key: base64(key) }];
}

/** The value in the answer to `getKey`; undefined when there is none. */
export function valueIn(answer: string | undefined): string | undefined {
  const { kvs = [] } = JSON.parse(answer ?? '{}') as { kvs?: readonly { value?: string }[] };
  return kvs[0] && Buffer.from(kvs[0].value ?? '', 'base64').toString();
}

/** @throws Error with what was answered when the login is refused */
async function tokenOf({ endpoint, username, password }: EtcdLogin): Promise<string> {
  const answer = await post(endpoint, ['/v3/auth/authenticate', { name: username, password }]);
  const { token } = JSON.parse(answer) as { token?: string };
  if (token === undefined) throw new Error(answer);
  return token;
}

async function post(endpoint: string, [path, body]: EtcdCall, token?: string): Promise<string> {
  const headers = token === undefined ? undefined : { Authorization: token };
  const answer = await fetch(`${endpoint}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return answer.text();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
