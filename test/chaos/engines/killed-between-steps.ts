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

type Deed = 'provision' | 'deprovision';

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
export async function ask(
  { slots: [first] }: Engines,
  deed: Deed,
  { id, offering }: Pick<Case, 'id' | 'offering'>,
): Promise<void> {
  const named = { service_id: offering, plan_id: `${offering}-small` };
  const query = new URLSearchParams({ ...named, accepts_incomplete: 'true' }).toString();
  const path = `/v2/service_instances/${id}?${query}`;
  const body = { ...named, organization_guid: 'o', space_guid: 's' };
  const asked =
    deed === 'provision' ? first.broker()?.ask('PUT', path, body) : first.broker()?.ask('DELETE', path);
  // Whoever was asked may die before it answers.
  await asked?.catch(() => undefined);
}

export async function killAtEach(
  engines: Engines,
  gate: StepGate,
  { deed, cases }: { readonly deed: Deed; readonly cases: readonly Case[] },
): Promise<void> {
  const [first, second] = engines.slots;
  await gate.shut(cases);
  for (const one of cases) void ask(engines, deed, one);
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

export function containersMade({ containers }: Engines): readonly string[] {
  const until = String(Math.ceil(Date.now() / 1000));
  const filters = [
    '--since',
    '0',
    '--until',
    until,
    '--filter',
    'type=container',
    '--filter',
    'event=create',
  ];
  const names = docker(containers.socket, 'events', ...filters, '--format', '{{.Actor.Attributes.name}}');
  return names.split('\n').filter(Boolean);
}
