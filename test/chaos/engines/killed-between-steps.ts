// A broker that is killed at each step of operations in turn; another one, and its node when it is back, go on.
import { docker } from '../../support/container-engine.ts';
import { auditLines } from '../../support/cluster/start-cluster.ts';
import { until } from '../../support/until.ts';
import { fates, type StepGate, type StepPoint } from '../../faults/step-gate.ts';
import type { OfferingName } from './offerings.ts';
import type { Engines } from './open-engines.ts';

interface Case extends StepPoint {
  readonly offering: OfferingName;
}

/** In the order of a life, with the plan that an instance has from then on. */
export const deeds = {
  provision: 'small',
  bind: 'small',
  update: 'large',
  unbind: 'large',
  deprovision: 'large',
} as const;
type Deed = keyof typeof deeds;

type Named = Pick<Case, 'id' | 'offering'>;

/** Of each step that an instance takes which nothing disturbs, with the fates in turn. */
export async function casesOf(
  engines: Engines,
  deed: Deed,
  offerings: readonly OfferingName[],
): Promise<readonly Case[]> {
  const { rows } = await engines.database.pool.query<{ offering: OfferingName; steps: number }>(
    `select o.instance_id as offering, count(*)::integer as steps from operations o
       join operation_steps on operation_id = o.id where kind = $1 and o.instance_id = any($2) group by 1`,
    [deed, offerings],
  );
  return rows.flatMap(({ offering, steps }) =>
    Array.from({ length: steps }, (_, index) => ({
      offering,
      fate: fates[index % 2 === 0 ? 0 : 1],
      number: index + 1,
      id: `${offering}-at-${index + 1}`,
    })),
  );
}

/** Asks the first broker, and does not wait. */
export async function ask({ slots: [first] }: Engines, deed: Deed, { id, offering }: Named): Promise<void> {
  const named = { service_id: offering, plan_id: `${offering}-${deeds[deed]}` };
  const query = new URLSearchParams({ ...named, accepts_incomplete: 'true' }).toString();
  const isOfBinding = deed === 'bind' || deed === 'unbind';
  const path = `/v2/service_instances/${id}${isOfBinding ? `/service_bindings/${id}-bound` : ''}?${query}`;
  const method = { provision: 'PUT', bind: 'PUT', update: 'PATCH', unbind: 'DELETE', deprovision: 'DELETE' }[
    deed
  ];
  const where = deed === 'provision' ? { organization_guid: 'o', space_guid: 's' } : {};
  const body = method === 'DELETE' ? undefined : { ...named, ...where };
  // Whoever was asked may die before it answers.
  await first
    .broker()
    ?.ask(method, path, body)
    .catch(() => undefined);
}

/** The first broker is killed when each case has come to its step; the second, and in time its node, go on. */
export async function killAtEach(
  engines: Engines,
  gate: StepGate,
  {
    deed,
    cases,
    all,
  }: { readonly deed: Deed; readonly cases: readonly Case[]; readonly all: readonly Named[] },
): Promise<void> {
  const [first, second] = engines.slots;
  // Alone, so that it has them all.
  await second.end('SIGTERM');
  await gate.shut(cases);
  for (const one of all) void ask(engines, deed, one);
  await gate.untilStopped(cases.length);
  await second.start();
  await first.end('SIGKILL');
  await gate.open();
  await first.start();
}

/** Of the last operation of each. */
export async function untilEnded({ database }: Engines, deed: Deed, ids: readonly string[]): Promise<void> {
  let last: readonly { readonly state: string }[] = [];
  const seen = async () => {
    const { rows } = await database.pool.query<{ state: string }>(
      'select instance_id, state, note, failure, holder from operations where kind = $1 and instance_id = any($2)',
      [deed, ids],
    );
    last = rows.filter(({ state }) => state !== 'succeeded');
    return rows.length === ids.length && last.length === 0;
  };
  await until(`${deed} has succeeded for all`, seen, 480_000).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  });
}

/** What brokers have made in the cluster, as often as they have made it. */
export function objectsMade({ cluster }: Engines): readonly string[] {
  return auditLines(cluster).flatMap((line) => {
    const { objectRef, responseStatus, userAgent } = JSON.parse(line) as AuditLine;
    const isMade = responseStatus?.code === 201 && userAgent === undefined;
    const { resource, namespace = '', name = '' } = objectRef ?? {};
    return isMade && name !== '' ? [`${resource} ${namespace}/${name}`] : [];
  });
}

interface AuditLine {
  readonly objectRef?: { readonly resource: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
  /** Brokers do not say what they are; controllers do. */
  readonly userAgent?: string;
}

/** @param since a time of before, in seconds */
export function containersMade({ containers }: Engines, since: number): readonly string[] {
  const until = String(Math.ceil(Date.now() / 1000));
  const times = ['--since', String(since), '--until', until];
  const filters = ['--filter', 'type=container', '--filter', 'event=create'];
  const format = ['--format', '{{.Actor.Attributes.name}}'];
  return docker(containers.socket, 'events', ...times, ...filters, ...format)
    .split('\n')
    .filter(Boolean);
}
