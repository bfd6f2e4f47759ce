import type { ServiceOffering, ServicePlan } from '../../broker/catalog.ts';
import type { JsonObject } from '../../broker/json.ts';
import { readCatalogDirs } from '../../config/catalog-directories.ts';
import { readPath } from '../../config/config.ts';
import { catalogReader } from '../catalog/reader.ts';
import { defineCommand } from '../command.ts';
import { operatorOfHere } from '../operator/asking/operator-of-here.ts';
import { argument, flag, optionalArgument, someText } from '../parameters.ts';
import { brokerOfHere } from '../platform/broker-of-here.ts';
import { parametersOption } from '../platform/parameters.ts';
import { requireNamed } from '../platform/sold.ts';
import { print, printJson } from '../output/print.ts';
import { table } from '../table.ts';
import type { Prover } from './prove.ts';
import type { TrialStep } from './steps.ts';

export const tryCommand = defineCommand({
  words: 'try',
  description:
    'Lead an instance of an offering through its life at the running broker: made, bound, proven, changed, restarted, removed.',
  arguments: [
    argument('offering', someText(), 'the name of the service offering'),
    optionalArgument('plan', someText(), 'the name of its plan; the first, unless one is named'),
  ],
  options: {
    parameters: parametersOption,
    keep: flag('--keep', 'leave the instance and its bindings'),
    json: flag('--json', 'the steps as JSON'),
  },
  async run([name, planName], { parameters, keep, json }) {
    const { openTrial } = await import('./steps.ts');
    const { tryPlan } = await import('./try-plan.ts');
    const directories = readCatalogDirs();
    const offering = await readOffering(directories, name);
    const plan =
      planName === undefined
        ? offering.plans[0]
        : requireNamed(offering.plans, planName, `plan of ${offering.name}`);
    const trial = openTrial((step) => (json ? undefined : print(lineOf(step))));
    const { instance } = await tryPlan(trial, {
      osb: await brokerOfHere(),
      operator: await operatorOfHere(),
      offering,
      planId: plan?.id ?? '',
      parameters: parameters as JsonObject | undefined,
      isRestartable: await isRestartable(plan),
      prover: proverOf(offering, directories),
      keep: keep ?? false,
    });
    const failed = trial.hasFailed();
    if (json) printJson({ instance, passed: !failed, steps: trial.steps });
    else print(summaryOf(trial.steps, keep ? instance : undefined));
    return failed ? 1 : 0;
  },
});

async function readOffering(directories: readonly string[], name: string): Promise<ServiceOffering> {
  const { problemLines } = await import('../../catalog/problem.ts');
  const { catalog, problems } = await (await catalogReader(directories))();
  if (!catalog) throw new Error(`The catalog has mistakes:\n${problemLines(problems).join('\n')}`);
  return requireNamed(catalog.offerings, name, 'service offering');
}

/** Only what has steps of its own starts and stops. */
async function isRestartable(plan: ServicePlan | undefined): Promise<boolean> {
  const { shippedTraits } = await import('../../program/shipped.ts');
  const traits = shippedTraits()[plan?.making.provisioner ?? ''];
  return traits?.supports?.includes('timeouts') ?? false;
}

function proverOf({ prove }: ServiceOffering, directories: readonly string[]): Prover | undefined {
  return prove && { proof: prove, directories, path: readPath() ?? '/usr/bin:/bin' };
}

const marks = { passed: 'ok', failed: 'FAILED', skipped: '-' } as const;

function lineOf({ step, result, ms, detail }: TrialStep): string {
  const time = ms === undefined ? '' : `${(ms / 1000).toFixed(2)} s`;
  return `${marks[result].padEnd(6)}  ${time.padStart(8)}  ${step}${detail ? `: ${detail}` : ''}`;
}

function summaryOf(steps: readonly TrialStep[], kept: string | undefined): string {
  const count = (result: TrialStep['result']) => steps.filter((step) => step.result === result).length;
  const counts = table(
    ['PASSED', 'FAILED', 'SKIPPED'],
    [[count('passed'), String(count('failed')), String(count('skipped'))]],
  );
  return kept === undefined
    ? `\n${counts}`
    : `\n${counts}\n\nKept: ${kept}. Remove it with: purveyor delete ${kept}`;
}
