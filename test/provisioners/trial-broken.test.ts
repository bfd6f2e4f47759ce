import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  incomplete,
  instancePath,
  operationIn,
  trialPlatform,
  unknownInstance,
} from '../support/trial-platform.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** The plan broken of trial-timing, run to its end, with 3 s in place of its minute. */

const file = readFileSync('catalog/trial/timing.yaml', 'utf8');
const plans = file.split(/(?=^ {2}- id: )/m);
const broken = plans.find((plan) => /^ {4}name: broken$/m.test(plan)) ?? '';
const minute = 'maximum_polling_duration: 60';
const catalogDir = scratchDirectory('broken');
writeFileSync(
  join(catalogDir, 'timing.yaml'),
  file.replace(broken, broken.replace(minute, 'maximum_polling_duration: 3')),
);

const { ask, broker, deprovision, provision } = trialPlatform({ CATALOG_DIR: catalogDir });

interface Told {
  readonly state: string;
  readonly description?: string;
}

/** What each look at an operation said that said something new. */
async function watched(path: string, query: Readonly<Record<string, string>>): Promise<readonly Told[]> {
  const told: Told[] = [];
  for (const end = Date.now() + 20_000; Date.now() < end; await wait(25)) {
    const last = (await ask('get', `${path}/last_operation`, { query })).body as Told;
    if (JSON.stringify(last) !== JSON.stringify(told.at(-1))) told.push(last);
    if (last.state !== 'in progress') return told;
  }
  throw new Error(`Still in progress: ${JSON.stringify(told)}`);
}

test('The plan broken does what docs/trial.md says: it is tried again, and has failed when its time is over.', async () => {
  expect(broken).toContain(minute);
  expect(readFileSync('docs/trial.md', 'utf8')).toMatch(
    /^\| broken +\| .* fails after a minute +\| In progress, "tried again" from the first error on, and failed after a minute; the text of the error inside is not shown to users +\|$/m,
  );
  const begun = Date.now();
  const [plan, id] = ['trial-timing/broken', 'a-broken-one'];
  const query = operationIn(await provision(plan, { id, query: incomplete }));
  const told = await watched(instancePath(id), query);
  const seconds = (Date.now() - begun) / 1000;

  const sentences = told.map(({ state, description }) => `${state}: ${description}`);
  const again = sentences.findIndex((sentence) => /^in progress: .*tried again/.test(sentence));
  // The first error comes at once: before it there is nothing to tell but that it has begun.
  expect(again).toBeGreaterThanOrEqual(0);
  expect(again).toBeLessThanOrEqual(1);
  const later = sentences.slice(again, -1).filter((sentence) => !sentence.includes('tried again'));
  for (const sentence of later) expect(sentence).toMatch(/^in progress: .*undone/);
  expect(sentences.at(-1)).toMatch(/^failed: .*longer than the 3 seconds allowed/);
  // Not before its time: the pauses between tries grow, and the last one ends with it.
  expect(seconds).toBeGreaterThan(1.9);
  expect(
    broker()
      .output()
      .match(/"message":"step failed/g)?.length,
  ).toBeGreaterThanOrEqual(3);
  expect(JSON.stringify(told)).not.toContain('broken on purpose');
  // The operator is told what users are not.
  expect(broker().output()).toContain('The trial is broken on purpose.');
  expect(await deprovision(unknownInstance(id, plan))).toMatchObject({ status: 200 });
});
