// A tsuru whose users come again until it has done what they want: its own clean-up is one call that nobody repeats.
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../fuzz/random.ts';
import { generationC, generationD, type App, type Client, type Env } from '../tsuru/clients.ts';
import type { Answer, Sent } from '../tsuru/tsuru-cloud.ts';
import type { Credentials, Platform } from './platform.ts';
import type { Slot } from './slot.ts';

export const tsuruPassword = 'the-tsuru-of-chaos';

const patienceMs = 9000;

interface TsuruParts<Name extends string> {
  readonly slots: readonly Slot[];
  readonly offerings: readonly Name[];
  readonly chance: Chance;
}

/** Of its bindings nobody outside knows the ids: they are called by their apps here. */
export function createTsuru<Name extends string>({
  slots,
  offerings,
  chance,
}: TsuruParts<Name>): Platform<Name> {
  const believed = new Map<string, { offering: Name; bindings: Map<string, Credentials> }>();
  const faults: string[] = [];
  const counts = { lives: 0, operations: 0, requests: 0, lost: 0, mitigated: 0 };
  let [turn, isStopped] = [0, false];

  /** @throws when nobody has answered, or not in time */
  async function ask(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const broker = slots[turn++ % slots.length]?.broker();
    counts.requests++;
    try {
      if (!broker) throw new Error('Nobody is there.');
      const response = await fetch(`${broker.address}/tsuru/${path}`, requestOf(method, path, sent));
      const text = await response.text();
      // 500 says of a status that it is down, and of a deed that it has failed.
      if (response.status > 500 && response.status !== 503)
        faults.push(`${method} ${path}: ${response.status} ${text}`);
      return { status: response.status, text, headers: response.headers };
    } catch (error) {
      counts.lost++;
      throw error;
    }
  }

  /** As whoever sits at the command line: again, until it has gone well or there is nothing to do it to. */
  async function insist<Result>(
    deed: () => Promise<Result>,
    isOver = (_said: string) => false,
  ): Promise<Result | undefined> {
    counts.operations++;
    for (;;) {
      try {
        return await deed();
      } catch (error) {
        if (isOver(String(error))) return undefined;
        await pause(300);
      }
    }
  }

  async function statusOf(client: Client, name: string): Promise<'up' | 'down'> {
    for (;;) {
      const status = await client.status(name).catch(() => 'pending' as const);
      if (status !== 'pending') return status;
      await pause(300);
    }
  }

  /** tsuru takes back what it could not do, once. */
  async function bind(client: Client, name: string, app: App): Promise<Env> {
    const bound = await insist(async () => {
      try {
        return await client.bind(name, app);
      } catch (error) {
        counts.mitigated++;
        await client.unbind(name, app).catch(() => undefined);
        throw error;
      }
    });
    return bound ?? {};
  }

  const unbind = (client: Client, name: string, app: App) => insist(() => client.unbind(name, app), isGone);

  async function live(): Promise<void> {
    const name = `t${++counts.lives}`;
    const offering = chance.of(offerings);
    const client = chance.of([generationC, generationD])(ask, offering);
    const [isKept, count] = [chance.once(4), 1 + chance.below(3)];
    const id = `tsuru.${offering}.${name}`;
    await insist(() => client.create(name, { event: id }));
    const bindings = new Map<string, Credentials>();
    believed.set(id, { offering, bindings });
    if ((await statusOf(client, name)) === 'up') {
      const apps = Array.from({ length: count }, (_, at) => appOf(`${name}a${at}`));
      await Promise.all(
        apps.map(async (app) =>
          bindings.set(app.name, credentialsIn(offering, await bind(client, name, app))),
        ),
      );
      const [first] = apps;
      if (first && chance.once(2)) {
        await unbind(client, name, first);
        bindings.delete(first.name);
      }
      if (isKept && !isStopped) return;
      for (const app of apps.filter(({ name: own }) => bindings.has(own))) await unbind(client, name, app);
    }
    await insist(() => client.destroy(name), isGone);
    believed.delete(id);
  }
  return { live, stop: () => void (isStopped = true), believed, faults, counts };
}

function isGone(said: string): boolean {
  return said.startsWith('Error: 404');
}

function appOf(name: string): App {
  return { name, host: `${name}.example.com`, units: ['10.0.0.1', '10.0.0.2'] };
}

/** What an app finds in its environment, by the names that the offering gave it. */
function credentialsIn(offering: string, env: Env): Credentials {
  const prefix = `${offering.toUpperCase()}_`;
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name.replace(prefix, '').toLowerCase(), value]),
  );
}

function requestOf(method: string, path: string, { form, json, headers }: Sent): RequestInit {
  const [offering = ''] = path.split('/');
  const login = Buffer.from(`${offering}:${tsuruPassword}`).toString('base64');
  const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
  const body = json ? JSON.stringify(json) : form && fieldsOf(form).toString();
  return {
    method,
    signal: AbortSignal.timeout(patienceMs),
    headers: {
      accept: 'application/json',
      authorization: `Basic ${login}`,
      ...headers,
      'content-type': type,
    },
    body: body ?? null,
  };
}

function fieldsOf(form: NonNullable<Sent['form']>): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(form))
    for (const one of [value].flat()) fields.append(name, one);
  return fields;
}
