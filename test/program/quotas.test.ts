import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../../src/broker/catalog.ts';
import { openQuotas } from '../../src/program/quotas/file.ts';
import { readQuotas } from '../../src/program/quotas/read.ts';
import { aPlan } from '../broker/fixtures.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';

function problemsOf(text: string): readonly string[] {
  return readQuotas('q.yaml', Buffer.from(text)).problems.map(({ path, reason }) => `${path}: ${reason}`);
}

test('QUOTAS_FILE says for whom a quota is, of what, and who is excepted, each with its place.', () => {
  const text = `
quotas:
  - { per: organization, instances: 5, cost: 8, exceptions: [{ for: acme, platform: blue, instances: unlimited }] }
  - { offering: redis, plan: large, instances: 2 }
`;
  expect(readQuotas('q.yaml', Buffer.from(text)).rules).toEqual([
    {
      of: 'all',
      per: 'organization',
      instances: 5,
      cost: 8,
      exceptions: [{ is: 'acme', platform: 'blue', cost: 8, from: 'QUOTAS_FILE, quotas[0].exceptions[0]' }],
      from: 'QUOTAS_FILE, quotas[0]',
    },
    {
      of: 'plan',
      per: 'total',
      offering: 'redis',
      plan: 'large',
      instances: 2,
      exceptions: [],
      from: 'QUOTAS_FILE, quotas[1]',
    },
  ]);
});

test.each([
  ['{ quota: [] }', ["quota: There is no such key here. Did you mean 'quotas'?"]],
  ['{ quotas: 3 }', ['quotas: This must be a list.']],
  ['{ quotas: [3] }', ['quotas[0]: This must be an object.']],
  ['{ quotas: [{}] }', ['quotas[0]: This must say how many instances there may be, or what they may cost.']],
  [
    '{ quotas: [{ per: team, instances: -1, cost: much, plan: 5 }] }',
    [
      'quotas[0].per: This must be one of total, platform, organization, space.',
      'quotas[0].plan: This must be a text; in YAML numbers need quotes.',
      'quotas[0].plan: A plan needs its offering beside it.',
      'quotas[0].instances: This must be a whole number from 0 on.',
      'quotas[0].cost: This must be a number from 0 on.',
    ],
  ],
  [
    '{ quotas: [{ instances: 1, exceptions: [{ for: a, instances: 2 }] }, { per: total, instances: 2 }] }',
    [
      'quotas[0].exceptions: What is of everybody together has no exceptions.',
      'quotas[1]: A quota of the same stands above.',
    ],
  ],
  [
    '{ quotas: [{ per: space, cost: 1, exceptions: [{ cost: 2 }, { for: a }, { for: a, cost: no }] }] }',
    [
      'quotas[0].exceptions[0].for: This must say for whom it is, by id or by name.',
      'quotas[0].exceptions[2].cost: This must be a number from 0 on, or unlimited.',
      'quotas[0].exceptions[2]: The same stands above.',
    ],
  ],
])('What is wrong in QUOTAS_FILE is told with its place: %s', (text, problems) => {
  expect(problemsOf(text)).toEqual(problems);
});

test('QUOTAS_FILE counts as it is now; one that was made wrong leaves what counted before, and what limits nothing is told.', async () => {
  const file = join(scratchDirectory('quotas'), 'quotas.yaml');
  const told: string[] = [];
  const catalog = { offerings: [{ name: 'cache', plans: [aPlan()] }] } as unknown as Catalog;
  const parts = {
    config: { quotasFile: file },
    currentCatalog: { catalog: () => catalog },
    log: { note: (_: string, one: string) => void told.push(one) },
  };
  await expect(openQuotas(parts)).rejects.toThrow('QUOTAS_FILE cannot be read: there is no such file.');
  writeFileSync(file, 'quotas: [{ instances: 1 }]');
  const quotas = await openQuotas({ ...parts, lookMs: 20 });
  try {
    expect(quotas.present()).toMatchObject([{ of: 'all', instances: 1 }]);
    writeFileSync(file, 'quotas: [{ offering: cahce, instances: 7 }]');
    await until('it is read again', () => quotas.present()[0]?.instances === 7);
    writeFileSync(file, 'quotas: [{ instances: many }]');
    await until('the mistake is told', () => told.length === 3);
    rmSync(file);
    await until('the absence is told', () => told.length === 4);
    expect(quotas.present()).toMatchObject([{ instances: 7 }]);
    expect(told).toEqual([
      "QUOTAS_FILE, quotas[0] limits nothing: there is no offering 'cahce' now. Did you mean 'cache'?",
      'quotas loaded',
      `QUOTAS_FILE cannot be used. ${file}:1:12: quotas[0].instances: This must be a whole number from 0 on. The quotas from before stay in use.`,
      'QUOTAS_FILE cannot be read: there is no such file. The quotas from before stay in use.',
    ]);
  } finally {
    quotas.close();
  }
});
