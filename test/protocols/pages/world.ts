import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { address } from '../../provisioners/process/process-node.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';

/** A broker with a bit of everything, much of which was named by somebody who means harm. */
export interface World {
  readonly broker: WholeBroker;
  /** Of credentials and parameters: nothing of it may be seen by anybody. */
  readonly secrets: readonly string[];
  /** A run of upgrades that has paused. */
  readonly upgrades: string;
  make(what: Made): Promise<void>;
  close(): Promise<void>;
}

export interface Made {
  readonly id: string;
  readonly offering: string;
  readonly plan: string;
  readonly context?: object;
  readonly parameters?: object;
}

export const attack = '<script>document.title="pwned"</script>';
const image = '"><img src=x onerror=alert(1)>';

/** One is markup itself. */
export const ids = {
  script: `i-${attack}`,
  server: 'a-server',
  failed: 'a-failure',
} as const;

const server =
  'require("http").createServer((asked, answer) => answer.end("ok")).listen(process.env.PORT, process.env.HOST)';

function offerings() {
  const plan = (name: string) => ({ id: name, name: name.split('.')[1], description: 'A plan' });
  const basis = { instances_retrievable: true, plan_updateable: true };
  return [
    {
      ...basis,
      id: 'web',
      name: 'web',
      description: `A server ${attack}`,
      provisioner: 'process',
      plans: [{ ...plan('web.small'), quota: { organization: { instances: 5 } } }],
      config: {
        ports: ['web'],
        processes: {
          web: {
            run: [process.execPath, '-e', server],
            env: { PORT: '{{ports.web}}', HOST: '{{node.bind}}' },
            ready: { port: 'web', http: '/' },
          },
        },
      },
      hooks: { action: { run: ['true'] } },
      actions: {
        drain: {
          description: 'Requests go elsewhere for a while',
          parameters: { seconds: { type: 'integer' } },
        },
      },
      credentials: { uri: 'http://{{node.host}}:{{ports.web}}' },
    },
    {
      ...basis,
      id: 'nowhere',
      name: 'nowhere',
      description: 'Needs a program that is not there',
      provisioner: 'process',
      plans: [plan('nowhere.small')],
      bindable: false,
      config: { processes: { main: { run: ['no-such-program-anywhere'] } } },
    },
  ];
}

export async function openWorld(): Promise<World> {
  const folder = scratchDirectory('pages');
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'catalog'));
  for (const one of offerings()) writeFileSync(join(folder, 'catalog', `${one.name}.yaml`), stringify(one));
  const database = await openTestDatabase();
  const broker = await startWholeBroker(database, {
    CATALOG_DIR: `catalog:catalog/trial:${join(folder, 'catalog')}`,
    NODE_NAME: 'here',
    NODE_DIR: join(folder, 'node'),
    NODE_HOST: address,
    NODE_PORTS: '23300-23349',
    NODE_SANDBOX: 'off',
    // However quick the machine is, what is done with the server is seen in progress.
    ASYNC_PATIENCE: '0ms',
  });
  const secrets: string[] = ['a-secret-parameter'];
  const made: Made[] = [];
  const pathOf = (id: string) => `/v2/service_instances/${encodeURIComponent(id)}`;
  const body = await broker.ask('get', '/v2/catalog');
  const services = (body.body as { services: readonly Service[] }).services;
  const idsOf = ({ offering, plan }: Made) => {
    const service = services.find(({ name }) => name === offering);
    const { id: planId = '' } = service?.plans.find(({ name }) => name === plan) ?? {};
    return { service_id: service?.id ?? '', plan_id: planId };
  };

  async function make(what: Made): Promise<void> {
    made.push(what);
    const { context = {}, parameters } = what;
    const asked = { ...idsOf(what), organization_guid: 'o', space_guid: 's', context, parameters };
    const identity = Buffer.from(JSON.stringify({ user_name: attack })).toString('base64');
    const { status, text } = await broker.ask('put', pathOf(what.id), {
      query: { accepts_incomplete: 'true' },
      body: asked,
      headers: { 'x-broker-api-originating-identity': `cloudfoundry ${identity}` },
    });
    if (![200, 201, 202, 500].includes(status)) throw new Error(`${status} ${text}`);
    await until(`${what.id} is made`, async () => {
      const { body: last } = await broker.ask('get', `${pathOf(what.id)}/last_operation`);
      return (last as { state?: string }).state !== 'in progress';
    });
  }

  async function bind(what: Made, id: string): Promise<void> {
    const {
      status,
      text,
      body: told,
    } = await broker.ask('put', `${pathOf(what.id)}/service_bindings/${encodeURIComponent(id)}`, {
      body: { ...idsOf(what), app_guid: image, context: { app_name: attack, platform: 'cloudfoundry' } },
    });
    if (status !== 201) throw new Error(`${status} ${text}`);
    const { credentials } = told as { credentials: Readonly<Record<string, string>> };
    secrets.push(...Object.values(credentials).map(String));
  }

  const context = {
    platform: 'cloudfoundry',
    instance_name: attack,
    organization_name: image,
    space_name: 'dev',
  };
  const script = { id: ids.script, offering: 'echo', plan: 'large', context };
  await make(script);
  await bind(script, `b-${attack}`);
  await make({ id: ids.failed, offering: 'trial-failing', plan: 'provision', context });
  for (let n = 1; n <= 6; n += 1) {
    const named = { ...context, instance_name: `orders-${n}`, organization_name: 'shop' };
    await make({
      id: `00000000-0000-4000-8000-00000000000${n}`,
      offering: 'echo',
      plan: 'large',
      context: named,
    });
  }
  await makeUpgrades(database, 'a-run');
  const orders = { ...context, instance_name: 'orders-web', organization_name: 'shop' };
  const web = { id: ids.server, offering: 'web', plan: 'small', context: orders };
  await make(web);
  await bind(web, 'a-binding');
  // Where instances are found is no secret for operators.
  secrets.splice(
    secrets.findIndex((one) => one.startsWith('http://') && !one.includes('token')),
    1,
  );
  return {
    broker,
    secrets,
    upgrades: 'a-run',
    make,
    async close() {
      for (const one of made) {
        await broker.ask('delete', pathOf(one.id), { query: { ...idsOf(one), accepts_incomplete: 'true' } });
        await until(`${one.id} is gone`, async () => {
          const { status } = await broker.ask('get', `${pathOf(one.id)}/last_operation`);
          return status === 410;
        });
      }
      await broker.stop();
      await database.close();
    },
  };
}

/** A canary was upgraded, and the one after it has failed. */
async function makeUpgrades({ pool }: TestDatabase, run: string): Promise<void> {
  await pool.query(
    `insert into upgrade_runs (id, state, reason, filter, canaries, at_once, stop_after, watch_ms, approval, passed, origin)
     values ($1, 'paused', $2, $3, 1, 2, 1, 30000, false, true, '{"protocol": "operator", "principal": "operator"}')`,
    [run, 'An upgrade has failed: see why, and resume or cancel.', JSON.stringify({ organization: image })],
  );
  for (const [position, state, reason] of [
    [1, 'succeeded', null],
    [2, 'failed', `It said ${attack}`],
    [3, 'waiting', null],
  ] as const)
    await pool.query(
      'insert into upgrade_items (run_id, position, instance_id, state, reason) values ($1, $2, $3, $4, $5)',
      [run, position, `00000000-0000-4000-8000-00000000000${position}`, state, reason],
    );
}

interface Service {
  readonly id: string;
  readonly name: string;
  readonly plans: readonly { readonly id: string; readonly name: string }[];
}
