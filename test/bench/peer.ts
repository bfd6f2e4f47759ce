import { Agent, request as requestHttp } from 'node:http';
import { Agent as SecureAgent, request as requestHttps } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

/** Any broker that speaks the Open Service Broker API. */
export interface Peer {
  readonly url: string;
  /** `user:password`. */
  readonly login: string;
  /** Names of what is made; absent: the first bindable plan of its catalog. */
  readonly offering?: string | undefined;
  readonly plan?: string | undefined;
}

/** One that is driven over connections that stay open, as platforms do it. */
export interface Driven {
  readonly offering: string;
  readonly plan: string;
  /** Whole lives per second: provision, bind, unbind, deprovision; what is accepted is polled until it is done. */
  measure(concurrency: number, ms: number): Promise<number>;
  close(): void;
}

/** @throws Error when it does not answer, has no such plan, or answers with anything but success */
export async function drive(peer: Peer): Promise<Driven> {
  const talk = openTalk(peer);
  const chosen = choose((await talk.ask('GET', '/v2/catalog')).body as unknown as Catalog, peer);
  const ids = { service_id: chosen.offering.id, plan_id: chosen.plan.id };
  let lives = 0;
  return {
    offering: chosen.offering.name,
    plan: chosen.plan.name,
    async measure(concurrency, ms) {
      const started = performance.now();
      let done = 0;
      const live = async () => {
        while (performance.now() - started < ms) {
          await liveOnce(talk, `bench-${process.pid}-${Date.now()}-${(lives += 1)}`, ids);
          done += 1;
        }
      };
      await Promise.all(Array.from({ length: concurrency }, live));
      // Until the next turn a peer may end what is idle.
      talk.close();
      return done / ((performance.now() - started) / 1000);
    },
    close: () => talk.close(),
  };
}

interface Ids {
  readonly service_id: string;
  readonly plan_id: string;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

interface Catalog {
  readonly services: readonly (Named & {
    readonly bindable?: boolean;
    readonly plans: readonly (Named & { readonly bindable?: boolean })[];
  })[];
}

function choose({ services }: Catalog, { offering: name, plan: planName }: Peer) {
  for (const offering of services) {
    if (name !== undefined && offering.name !== name) continue;
    const plan = offering.plans.find((one) =>
      planName === undefined ? (one.bindable ?? offering.bindable) : one.name === planName,
    );
    if (plan) return { offering, plan };
  }
  throw new Error(`There is no plan ${planName ?? 'that can be bound'} of ${name ?? 'any offering'}.`);
}

async function liveOnce(talk: Talk, id: string, ids: Ids): Promise<void> {
  const hints = new URLSearchParams({ ...ids, accepts_incomplete: 'true' }).toString();
  const instance = `/v2/service_instances/${id}`;
  const binding = `${instance}/service_bindings/${id}-b`;
  const where = { organization_guid: 'bench', space_guid: 'bench', context: { platform: 'bench' } };
  const made = async (method: string, path: string, query: string, body?: object) => {
    const answer = await talk.ask(method, `${path}?${query}`, body);
    if (answer.status === 202) await untilDone(talk, path, answer.body['operation']);
  };
  await made('PUT', instance, 'accepts_incomplete=true', { ...ids, ...where });
  await made('PUT', binding, 'accepts_incomplete=true', ids);
  await made('DELETE', binding, hints);
  await made('DELETE', instance, hints);
}

async function untilDone(talk: Talk, path: string, operation: unknown): Promise<void> {
  const query = typeof operation === 'string' ? `?operation=${encodeURIComponent(operation)}` : '';
  for (;;) {
    const { status, body } = await talk.ask('GET', `${path}/last_operation${query}`);
    if (status === 410 || body['state'] === 'succeeded') return;
    if (body['state'] === 'failed') throw new Error(`${path} has failed: ${String(body['description'])}`);
    await pause(20);
  }
}

interface Talk {
  /** @throws Error for what is neither a success nor gone */
  ask(method: string, path: string, body?: object): Promise<Said>;
  close(): void;
}

interface Said {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function openTalk({ url, login }: Peer): Talk {
  const { protocol } = new URL(url);
  const base = url.replace(/\/+$/, '');
  const agent = protocol === 'https:' ? new SecureAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  const request = protocol === 'https:' ? requestHttps : requestHttp;
  const common = {
    authorization: `Basic ${Buffer.from(login).toString('base64')}`,
    'x-broker-api-version': '2.17',
  };
  return {
    ask: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = body && JSON.stringify(body);
        const headers = text === undefined ? common : { ...common, 'content-type': 'application/json' };
        const sent = request(`${base}${path}`, { method, agent, headers }, (answer) => {
          const { statusCode: status = 0 } = answer;
          let got = '';
          answer.setEncoding('utf8').on('error', reject);
          answer.on('data', (chunk: string) => (got += chunk));
          answer.on('end', () => {
            if ((status >= 200 && status < 300) || status === 410)
              resolve({ status, body: JSON.parse(got || '{}') as Said['body'] });
            else reject(new Error(`${method} ${path} was answered with ${status}: ${got.slice(0, 500)}`));
          });
        });
        sent.on('error', reject).end(text);
      }),
    close: () => agent.destroy(),
  };
}
