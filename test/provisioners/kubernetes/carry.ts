import type { JsonObject } from '../../../src/broker/json.ts';
import { instanceKey } from '../../../src/broker/key.ts';
import type { Made, Provisioner, Step, Work } from '../../../src/broker/provisioner.ts';
import { templateValues } from '../../../src/broker/template-values.ts';
import { kubernetes } from '../../../src/provisioners/kubernetes/index.ts';
import { aBinding, anInstance, aPlan } from '../../broker/fixtures.ts';
import { clustersOf, type MemoryCluster } from './memory-cluster.ts';

/** Operations as the engine carries them, step by step. */

export type Deed = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind' | 'start' | 'stop' | 'restart';

export interface Carried {
  readonly made: Made;
  readonly did: readonly string[];
  readonly notes: readonly string[];
}

/** @param after is told of each step; with `false` it was not recorded: it is done again, as another broker would */
export async function carry(
  provisioner: Provisioner,
  deed: Deed,
  first: Work,
  after: (memo: Work['memo'], count: number) => boolean | void | Promise<void> = () => undefined,
): Promise<Carried> {
  const did: string[] = [];
  const notes: string[] = [];
  let work = first;
  for (let count = 1; ; count += 1) {
    const began = performance.now();
    const step = await stepOf(provisioner, deed, work);
    const took = performance.now() - began;
    const memo = 'again' in step ? step.again.memo : undefined;
    const isRecorded = (await after(memo, count)) !== false;
    if (step.did && isRecorded) did.push(step.did.step);
    if ('done' in step && isRecorded) return { made: step.done ?? {}, did, notes };
    if (!('again' in step) || !isRecorded) continue;
    if (step.again.note !== undefined) notes.push(step.again.note);
    // The pauses are for clusters that need time; one in memory needs none.
    const pause = Math.min(step.again.afterMs, Math.max(5, 3 * took));
    await new Promise((resolve) => setTimeout(resolve, pause));
    work = { ...work, memo: JSON.parse(JSON.stringify(memo)) as Work['memo'] };
  }
}

async function stepOf(provisioner: Provisioner, deed: Deed, work: Work): Promise<Step<Made | void>> {
  const call =
    deed === 'start' || deed === 'stop' || deed === 'restart' ? provisioner.units?.[deed] : provisioner[deed];
  const step = await call?.(work);
  if (!step) throw new Error(`It cannot ${deed}.`);
  return step;
}

/** A broker of these clusters; those with the same state have the same installation. */
export function brokerOf(...clusters: readonly MemoryCluster[]): Provisioner {
  return kubernetes({ clusters: clustersOf(...clusters), installation: async () => 'here' });
}

export interface WorkParts {
  readonly config: JsonObject;
  readonly settings?: JsonObject;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly parameters?: JsonObject;
  readonly facts?: JsonObject;
  readonly binding?: string;
  readonly bindingFacts?: JsonObject;
  readonly stopped?: boolean;
  readonly id?: string;
}

/** What a step knows, as the core makes it. */
export function workOf({ config, id = 'i1', ...parts }: WorkParts): Work {
  const { settings = {}, secrets = {}, parameters = {}, facts = {}, stopped } = parts;
  const plan = aPlan({ making: { provisioner: 'kubernetes', config, settings } });
  const instance = anInstance({
    id,
    stopped,
    confidential: { parameters, secrets: { admin: 'a-secret-of-all', ...secrets }, facts },
  });
  const binding =
    parts.binding === undefined
      ? undefined
      : aBinding({
          instanceId: id,
          id: parts.binding,
          confidential: {
            parameters: {},
            secrets: { password: `password-of-${parts.binding}` },
            facts: parts.bindingFacts ?? {},
            answer: {},
          },
        });
  return {
    operationId: 'op1',
    instance,
    binding,
    plan,
    values: templateValues(plan, instance, binding, 'http://broker'),
    redact: (text) => text.replaceAll('a-secret-of-all', '***'),
    signal: new AbortController().signal,
  };
}

export function keyOfWork({ instance }: Work): string {
  return instanceKey(instance);
}
