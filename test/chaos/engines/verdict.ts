// What there is in a cluster and in containers, held against the rows, and these against what the platform believes.
import { connect } from 'node:net';
import { isObject, type JsonObject, memberOf } from '../../../src/broker/json.ts';
import { plainText } from '../../../src/provisioners/kubernetes/objects/plain-text.ts';
import { listAll } from '../../support/cluster/list-all.ts';
import { docker } from '../../support/container-engine.ts';
import type { TestCluster } from '../../support/cluster/start-cluster.ts';
import { call } from '../../support/started-brokers.ts';
import type { Credentials, Platform } from '../platform.ts';
import { plans, type OfferingName, sharedNamespace } from './offerings.ts';
import { operatorLogin, type Engines } from './open-engines.ts';

interface Row {
  readonly id: string;
  readonly key: string;
  readonly offering: OfferingName;
  readonly plan: keyof typeof plans;
  /** The keys of its bindings. */
  readonly bound: readonly string[];
}

export async function judge(engines: Engines, { believed }: Platform): Promise<readonly string[]> {
  const faults: string[] = [];
  const same = (what: string, there: readonly string[], wanted: readonly string[]) => {
    const [one, other] = [there, wanted].map((list) => list.toSorted().join('\n  '));
    if (one !== other) faults.push(`${what}: there are\n  ${one}\ninstead of\n  ${other}`);
  };
  const rows = await rowsIn(engines);
  const of = (...names: readonly OfferingName[]) => rows.filter(({ offering }) => names.includes(offering));
  same(
    'rows',
    rows.map(({ id, bound }) => `${id} ${bound.length}`),
    [...believed].map(([id, { bindings }]) => `${id} ${bindings.size}`),
  );
  const open = await engines.database.pool.query(
    `select kind || ' of ' || instance_id as it from operations where state = 'in progress'`,
  );
  same(
    'operations in progress',
    open.rows.map(({ it }: { it: string }) => it),
    [],
  );
  same('objects', await objectsIn(engines.cluster), of('spaces', 'tenants').flatMap(objectsOf));
  same(
    'containers',
    containersIn(engines),
    of('boxes').map(({ key, plan }) => `${key} running ${plans[plan].pids}`),
  );
  same(
    'networks of containers',
    networksIn(engines),
    of('boxes').map(({ key }) => key),
  );
  for (const [id, { offering, bindings }] of believed)
    for (const [binding, credentials] of bindings)
      if (!(await works(engines, offering as OfferingName, credentials).catch(() => false)))
        faults.push(`${offering} ${id}/${binding} does not work.`);
  const orphans = await call(operatorLogin, `${engines.slots[0].broker()?.address}/operator/orphans`);
  const told = await orphans.text();
  if (!/"orphans":\[\]/.test(told)) faults.push(`Orphans are told: ${told}`);
  return faults;
}

/** All that brokers have made of instances, wherever it is. */
export async function thingsThere(engines: Engines): Promise<readonly string[]> {
  return [...(await objectsIn(engines.cluster)), ...containersIn(engines), ...networksIn(engines)];
}

function containersIn({ containers: { socket } }: Engines): readonly string[] {
  const ids = linesOf(docker(socket, 'ps', '-aq'));
  if (ids.length === 0) return [];
  const format = '{{index .Config.Labels "purveyor.key"}} {{.State.Status}} {{.HostConfig.PidsLimit}}';
  return linesOf(docker(socket, 'inspect', '--format', format, ...ids));
}

function networksIn({ containers: { socket } }: Engines): readonly string[] {
  const words = ['--format', '{{.Label "purveyor.key"}}', '-f', 'label=purveyor.key'];
  return linesOf(docker(socket, 'network', 'ls', ...words));
}

function linesOf(output: string): readonly string[] {
  return output.split('\n').filter(Boolean);
}

async function rowsIn({ database }: Engines): Promise<readonly Row[]> {
  const { rows } = await database.pool.query<Row>(
    `select i.id, i.key, offering_id as offering, replace(plan_id, offering_id || '-', '') as plan,
       array_remove(array_agg(b.key), null) as bound
       from service_instances i left join service_bindings b on b.instance_id = i.id group by i.id`,
  );
  return rows;
}

/** As an instance that nothing has disturbed has them. */
function objectsOf({ offering, key, plan, bound }: Row): readonly string[] {
  const { flavour, replicas } = plans[plan];
  if (offering === 'spaces') {
    const inside = [
      'NetworkPolicy purveyor',
      'ResourceQuota purveyor',
      'Secret purveyor',
      'Secret auth',
      `ConfigMap conf-${flavour}`,
      'Service main',
      'StatefulSet main, 1 of 1',
      'PersistentVolumeClaim data-main-0',
      ...bound.map((binding) => `Secret ${binding}`),
    ];
    return [`Namespace ${key}`, ...inside.map((object) => `${key}: ${object}`)];
  }
  const inside = [
    `Secret purveyor-${key}`,
    `ConfigMap ${key}-${flavour}`,
    `Job ${key}-init`,
    `Deployment ${key}, ${replicas} of ${replicas}`,
    ...bound.flatMap((binding) => [`Secret ${binding}`, `ConfigMap ${binding}`]),
  ];
  return inside.map((object) => `${sharedNamespace}: ${object}`);
}

/** All that somebody has made in namespaces that are not the cluster's own. */
async function objectsIn({ ask }: TestCluster): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const { kind, name, item } of await listAll(ask)) {
    if (unseen.has(name) || !isMade(item)) continue;
    const { uid, namespace, name: own } = memberOf(item, 'metadata');
    // Some kinds are served by two groups.
    found.set(plainText(uid), `${plainText(namespace)}: ${kind} ${plainText(own)}${podsIn(item)}`);
  }
  const { body } = await ask('GET', '/api/v1/namespaces');
  const spaces = (body['items'] as JsonObject[]).map((item) => plainText(memberOf(item, 'metadata')['name']));
  const own = spaces.filter((name) => name !== sharedNamespace && !/^(kube-.*|default)$/.test(name));
  return [...own.map((name) => `Namespace ${name}`), ...found.values()];
}

const unseen: ReadonlySet<string> = new Set(['events', 'endpoints', 'endpointslices', 'leases']);

/** What controllers make of it goes with it; each namespace has an account. */
function isMade({ metadata }: JsonObject): boolean {
  const { namespace, name, ownerReferences, labels } = isObject(metadata) ? metadata : {};
  const isForeign = /^(kube-.*|default)$/.test(plainText(namespace));
  const isOfNamespace = name === 'default' || plainText(name).startsWith('default-token-');
  const isOfJob = isObject(labels) && labels['job-name'] !== undefined;
  return !isForeign && !isOfNamespace && ownerReferences === undefined && !isOfJob;
}

function podsIn(object: JsonObject): string {
  const { replicas } = memberOf(object, 'spec');
  if (replicas === undefined) return '';
  return `, ${plainText(memberOf(object, 'status')['readyReplicas'])} of ${plainText(replicas)}`;
}

async function works({ cluster }: Engines, offering: OfferingName, given: Credentials): Promise<boolean> {
  const { host, port, namespace, secret, password } = given as JsonObject;
  if (offering === 'boxes') return answersPing(plainText(host), Number(port), plainText(password));
  const { body } = await cluster.ask(
    'GET',
    `/api/v1/namespaces/${plainText(namespace)}/secrets/${plainText(secret)}`,
  );
  return memberOf(body, 'data')['password'] === Buffer.from(plainText(password)).toString('base64');
}

function answersPing(host: string, port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    let said = '';
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('+PONG')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(said.includes('+PONG')));
  });
}
