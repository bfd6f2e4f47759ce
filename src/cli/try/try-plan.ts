import { randomBytes } from 'node:crypto';
import type { ServiceOffering } from '../../broker/catalog.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { OperatorClient } from '../../protocols/operator/client.ts';
import type { OsbClient } from '../../protocols/osb/client.ts';
import { plansOnSale, servicePath, type SoldPlan } from '../platform/sold.ts';
import { untilEnded } from '../operator/asking/until-done.ts';
import { prove, type Prover } from './prove.ts';
import type { Trial } from './steps.ts';

/** What is tried, and by whom. */
export interface TrialSubject {
  readonly osb: OsbClient;
  readonly operator: OperatorClient;
  readonly offering: Pick<ServiceOffering, 'id' | 'name' | 'plans'>;
  readonly planId: string;
  readonly parameters: JsonObject | undefined;
  /** Has it units of its own that can be started anew? */
  readonly isRestartable: boolean;
  /** Absent where the offering does not say how it is proven. */
  readonly prover: Prover | undefined;
  /** Nothing is taken away in the end. */
  readonly keep: boolean;
}

/** Leads one instance through all that platforms and operators do with it; what was made goes again. */
export async function tryPlan(trial: Trial, subject: TrialSubject): Promise<{ readonly instance: string }> {
  const instance = `try-${subject.offering.name}-${randomBytes(4).toString('hex')}`;
  const bindings = new Map<string, JsonObject>();
  const asked: SoldPlan = { service_id: subject.offering.id, plan_id: subject.planId };
  await provision(trial, subject, instance, asked);
  for (const name of ['first', 'second']) await bind(trial, subject, { instance, name, asked, bindings });
  if (!subject.prover) trial.skip('prove', 'the offering file has no `prove`');
  await proveAll(trial, subject, bindings, '');
  const last = await changePlans(trial, subject, { instance, asked, bindings });
  await restart(trial, subject, instance, bindings);
  if (subject.keep) return { instance };
  await revoke(trial, subject, { instance, asked: last, bindings });
  await remove(trial, subject, instance, last);
  return { instance };
}

interface Made {
  readonly instance: string;
  readonly asked: SoldPlan;
  /** Credentials by the name of their binding. */
  readonly bindings: Map<string, JsonObject>;
}

async function provision(
  trial: Trial,
  { osb, parameters }: TrialSubject,
  instance: string,
  asked: SoldPlan,
): Promise<void> {
  const owner = { organization_guid: 'try', space_guid: 'try' };
  await trial.step('provision', async () => {
    const body = { ...asked, ...owner, parameters };
    await osb.carryOut({ method: 'PUT', path: servicePath(instance), body });
  });
}

async function bind(
  trial: Trial,
  { osb }: TrialSubject,
  { instance, name, asked, bindings }: Made & { readonly name: string },
): Promise<void> {
  await trial.step(`bind ${name}`, async () => {
    const path = servicePath(instance, name);
    const made = await osb.carryOut({ method: 'PUT', path, body: asked });
    const { body } = made.body['state'] === undefined ? made : await osb.read(path);
    bindings.set(name, (body['credentials'] ?? {}) as JsonObject);
  });
}

async function proveAll(
  trial: Trial,
  { prover }: TrialSubject,
  bindings: ReadonlyMap<string, JsonObject>,
  when: string,
): Promise<void> {
  if (!prover) return;
  for (const [name, credentials] of bindings) {
    await trial.step(`prove ${name}${when}`, async () => requireProof(await prove(prover, credentials)));
  }
}

function requireProof(reason: string | undefined): void {
  if (reason !== undefined) throw new Error(`The credentials do not work: ${reason}.`);
}

/** To every other plan of the offering and back. @returns the plan in the end, whatever has failed */
async function changePlans(trial: Trial, subject: TrialSubject, made: Made): Promise<SoldPlan> {
  const { osb, offering, planId } = subject;
  const others = offering.plans.filter(({ id }) => id !== planId);
  const current = offering.plans.find(({ id }) => id === planId);
  let [last, before] = [made.asked, current];
  if (others.length === 0) return last;
  if (!current?.planUpdateable) {
    trial.skip('update', 'the plan cannot be changed');
    return last;
  }
  const onSale = await plansOnSale(osb, offering.id);
  for (const { name } of others.filter(({ id }) => !onSale.has(id)))
    trial.skip(`update to ${name}`, 'the broker does not sell it');
  const sold = others.filter(({ id }) => onSale.has(id));
  for (const next of sold.length > 0 ? [...sold, current] : []) {
    const step = next === current ? `update back to ${next.name}` : `update to ${next.name}`;
    const body = { service_id: offering.id, plan_id: next.id, previous_values: last };
    await trial.step(step, async () => {
      await osb.carryOut({ method: 'PATCH', path: servicePath(made.instance), body });
      last = { service_id: offering.id, plan_id: next.id };
    });
    const changes = next.operating.tls !== before?.operating.tls;
    before = next;
    if (changes) await bindAnew(trial, subject, { ...made, asked: last });
    await proveAll(trial, subject, made.bindings, ` as ${next.name}`);
  }
  return last;
}

/** Who was told of a server without TLS does not reach one with it, nor the other way round. */
async function bindAnew(trial: Trial, subject: TrialSubject, made: Made): Promise<void> {
  for (const name of made.bindings.keys()) {
    await trial.step(`unbind ${name} of before`, async () => {
      const path = servicePath(made.instance, name);
      await subject.osb.carryOut({ method: 'DELETE', path, query: { ...made.asked } });
    });
    await bind(trial, subject, { ...made, name });
  }
}

async function restart(
  trial: Trial,
  subject: TrialSubject,
  instance: string,
  bindings: ReadonlyMap<string, JsonObject>,
): Promise<void> {
  const { operator, isRestartable } = subject;
  if (!isRestartable) return trial.skip('restart', 'nothing of it runs by itself');
  await trial.step('restart', async () => {
    const { operation } = await operator.act(instance, 'restart');
    const ended = operation && (await untilEnded(operator, instance, operation));
    if (ended?.state === 'failed') throw new Error(ended.failure?.sentence ?? 'It has failed.');
  });
  await proveAll(trial, subject, bindings, ' after the restart');
}

/** The first goes, and only the second works; then the second goes too. */
async function revoke(
  trial: Trial,
  subject: TrialSubject,
  { instance, asked, bindings }: Made,
): Promise<void> {
  const { osb, prover } = subject;
  const [[first, credentials] = ['', {}], ...others] = bindings;
  const unbind = async (name: string): Promise<void> =>
    trial.always(`unbind ${name}`, async () => {
      await osb.carryOut({ method: 'DELETE', path: servicePath(instance, name), query: { ...asked } });
    });
  if (first === '') return;
  await unbind(first);
  if (prover && !prover.proof.revoked) {
    trial.skip(`${first} is revoked`, 'all bindings are given the same');
  } else if (prover) {
    await trial.step(`${first} is revoked`, async () => {
      if ((await prove(prover, credentials)) === undefined)
        throw new Error('The credentials still work after the unbind.');
    });
  }
  await proveAll(trial, subject, new Map(others), ` without ${first}`);
  for (const [name] of others) await unbind(name);
}

async function remove(
  trial: Trial,
  { osb, operator }: TrialSubject,
  instance: string,
  asked: SoldPlan,
): Promise<void> {
  const { key } = await operator.instance(instance).catch(() => ({ key: undefined }));
  await trial.always('deprovision', async () => {
    await osb.carryOut({ method: 'DELETE', path: servicePath(instance), query: { ...asked } });
  });
  await trial.always('nothing is left', async () => {
    const { orphans } = await operator.orphans();
    const left = orphans.filter((one) => one.instance_id === instance || (key && one.key === key));
    if (left.length > 0) throw new Error(`There is still: ${left.map(({ name }) => name).join(', ')}.`);
  });
}
