// The dashboard and the alert rules for those who run the broker are of metrics that there are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const directory = join(import.meta.dirname, '../../docs/monitoring');
const read = (name: string) => readFileSync(join(directory, name), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string };
}
const { groups } = parse(read('alerts.yaml')) as { readonly groups: readonly { rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
const { panels } = JSON.parse(read('grafana-dashboard.json')) as { readonly panels: readonly Panel[] };

const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

/** What stands in an expression, by kind; `⚠` is what cannot be read. */
function wordsIn(expr: string): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, string[]>();
  parser.parse(expr).iterate({
    enter({ name, from, to }) {
      words.set(name, [...(words.get(name) ?? []), expr.slice(from, to)]);
    },
  });
  return words;
}

/** As a broker tells them that has a certificate. */
async function namesTold(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics();
  metrics.certificate({ validToDate: new Date() });
  const page = new TextDecoder().decode((await metrics.page()).bytes);
  const types = Array.from(page.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name = '', type = '']) => ({
    name,
    type,
  }));
  return new Set([
    'up',
    ...types.flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => name + end) : [name],
    ),
  ]);
}

test.each(expressions)(
  'The expression of "%s" can be read, and all of its metrics are told.',
  async (_of, expr) => {
    const words = wordsIn(expr);
    expect(words.get('⚠')).toBeUndefined();
    const told = await namesTold();
    const metrics = (words.get('VectorSelector') ?? []).map((text) => /^[\w:]+/.exec(text)?.[0] ?? text);
    expect(metrics.length).toBeGreaterThan(0);
    expect(metrics.filter((name) => !told.has(name))).toEqual([]);
  },
);

test('An expression that cannot be read, or is of a metric that there is not, would be seen.', async () => {
  expect(wordsIn('sum(purveyor_nodes').get('⚠')).toBeDefined();
  expect((await namesTold()).has('purveyor_things')).toBe(false);
});

test('Rules have names of their own and say what to do, and panels have numbers of their own.', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { annotations } of rules) expect(annotations.summary).toMatch(/\.$|\?$/);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

/** Metrics that each broker tells alike, since they are of all of them. */
const ofAll =
  /^purveyor_(nodes|node_\w+|instances\w*|units|orphans|offerings_hidden|stock_\w+|operations_(open|oldest\w*|waiting\w*))$/;

test.each(expressions)('What is told by every broker alike is not summed over them in "%s".', (_of, expr) => {
  for (const text of wordsIn(expr).get('AggregateExpr') ?? []) {
    const [, name = '', inner = ''] = /^(\w+)(?:\s+by\s*\([^)]*\))?\s*\(\s*(\w+)/.exec(text) ?? [];
    if (ofAll.test(inner)) expect([text, name]).toEqual([text, 'max']);
  }
});
