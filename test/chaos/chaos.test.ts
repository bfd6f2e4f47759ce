// Three real brokers on a real Postgres, to which what can happen happens: a short form of `npm run chaos`.
import { runChaos } from './run.ts';
import { strikes } from './faults.ts';

test('Whatever happens to brokers, nodes and Postgres, in the end there is exactly what the platform believes in.', async () => {
  const seed = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 1_000_000));
  const { faults, ...report } = await runChaos({ seed, count: 200, time: 30_000 });
  const told = faults.length === 0 ? '' : `seed ${seed}, ${JSON.stringify(report)}:\n${faults.join('\n\n')}`;
  expect(told).toBe('');
  expect(report.counts.operations).toBeGreaterThan(0);
  expect(Object.keys(strikes)).toEqual(expect.arrayContaining(Object.keys(report.struck)));
  expect(Object.keys(report.struck).length).toBeGreaterThan(1);
}, 900_000);
