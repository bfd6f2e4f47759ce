import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { createTracing } from '../../src/telemetry/tracing.ts';
import { coreInMemory, scripted } from '../broker/core-in-memory.ts';
import { toProvision } from '../broker/fixtures.ts';
import { openTestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { startWholeBroker } from '../support/whole-broker.ts';

/** What goes on as spans, with an SDK of OpenTelemetry as an operator registers one. */

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const scratch = scratchDirectory('tracing');
const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;

beforeEach(() => exporter.reset());
afterAll(() => provider.shutdown());

const spansOf = (traceId: string) =>
  exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
const named = (spans: readonly ReadableSpan[], name: string) => spans.filter((span) => span.name === name);

function parentOf(spans: readonly ReadableSpan[], { parentSpanContext }: ReadableSpan): string | undefined {
  return spans.find((one) => one.spanContext().spanId === parentSpanContext?.spanId)?.name;
}

test('Nothing is a trace, and nothing is passed on, as long as no SDK is registered.', async () => {
  const tracing = createTracing('1');
  const seen = await tracing.within({ name: 'x', attributes: {} }, async () => tracing.carrier());
  expect(seen).toBeUndefined();
  provider.register();
});

test('A broker that takes an operation over goes on with the trace in which another one opened it.', async () => {
  const tracing = createTracing('1');
  const { provisioner } = scripted({
    provision: ({ memo }) =>
      memo === undefined
        ? { again: { afterMs: 2000, memo: 1 }, did: { step: 'prepare' } }
        : { done: {}, did: { step: 'start' } },
  });
  const core = coreInMemory(provisioner);
  const first = core.broker({ asyncPatience: 1 }, { tracing });
  const second = core.broker({}, { tracing });
  const { traceId } = await tracing.within({ name: 'caller', attributes: {} }, async () => {
    await first.broker.provision(toProvision({ acceptsIncomplete: true }));
    await first.work.handOver();
    const [, id = ''] = tracing.carrier()?.['traceparent']?.split('-') ?? [];
    return { traceId: id };
  });
  core.pass(60_000);
  await until('it has ended', async () => {
    await second.work.tick();
    return (await core.store.history('i1', 1))[0]?.state === 'succeeded' || undefined;
  });
  const spans = spansOf(traceId);
  const runs = named(spans, 'run provision');
  expect(new Set(runs.map(({ attributes }) => attributes['purveyor.holder'])).size).toBe(2);
  expect(runs.map((span) => parentOf(spans, span))).toEqual(runs.map(() => 'open provision'));
  const steps = named(spans, 'step provision');
  expect(steps.map(({ attributes }) => attributes['purveyor.step'])).toEqual(['prepare', 'start']);
  expect(named(spans, 'scripted provision').map((span) => parentOf(spans, span))).toEqual([
    'step provision',
    'step provision',
  ]);
});

test('A request, its operation, its statements and its hooks are one trace, which holds no secret.', async () => {
  const catalogDir = join(scratch, 'catalog');
  mkdirSync(catalogDir);
  const id = (n: number) => `5f0e3f55-7a51-4a4e-9f0b-0000000037${n}0`;
  const file = join(catalogDir, 'thing.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      id: id(1),
      name: 'thing',
      description: 'Something.',
      provisioner: 'command',
      plans: [{ id: id(2), name: 'one', description: 'One.' }],
      secrets: { password: { length: 32 } },
      hooks: { configure: { run: ['sh', '-c', 'echo "{\\"seen\\": \\"$TRACEPARENT\\"}"'] } },
      credentials: { seen: '{{outputs.configure.seen}}', password: '{{secrets.password}}' },
    }),
  );
  const database = await openTestDatabase();
  const broker = await startWholeBroker(database, { CATALOG_DIR: catalogDir });
  const long = 'x'.repeat(200);
  try {
    const body = { service_id: id(1), plan_id: id(2), organization_guid: 'o', space_guid: 's' };
    const headers = { traceparent };
    const made = await broker.ask('put', `/v2/service_instances/traced-${long}`, {
      body: { ...body, parameters: {} },
      query: { accepts_incomplete: 'true' },
      headers,
    });
    expect({ ...made.body, status: made.status }).toMatchObject({ status: expect.any(Number) });
    const bound = await until('it can be bound', async () => {
      const path = `/v2/service_instances/traced-${long}/service_bindings/b1`;
      const answer = await broker.ask('put', path, { body });
      return answer.status === 201 ? answer : undefined;
    });
    const spans = spansOf(caller.traceId);
    const [request] = named(spans, 'PUT /v2/service_instances/:instanceId');
    expect(request?.parentSpanContext).toMatchObject({ spanId: caller.spanId, isRemote: true });
    expect(request?.attributes).toMatchObject({
      'http.request.method': 'PUT',
      'http.route': '/v2/service_instances/:instanceId',
      'http.response.status_code': made.status,
      'purveyor.protocol': 'osb',
      'purveyor.principal': 'broker',
    });
    const [open] = named(spans, 'open provision');
    expect(open && parentOf(spans, open)).toBe(request?.name);
    expect(spans.map((span) => parentOf(spans, span))).toContain('open provision');
    const statements = spans.filter(({ attributes }) => attributes['db.system.name'] === 'postgresql');
    expect(statements.map(({ name }) => name)).toContain('INSERT service_instances');
    const { seen, password } = bound.body.credentials as Record<string, string>;
    const deeds = named(spans, 'command provision').map((span) => span.spanContext().spanId);
    expect(deeds.map((spanId) => `00-${caller.traceId}-${spanId}-01`)).toContain(seen);
    const all = exporter
      .getFinishedSpans()
      .map(({ name, attributes, status, events }) => ({ name, attributes, status, events }));
    for (const secret of [password ?? '?', broker.password])
      expect(JSON.stringify(all)).not.toContain(secret);
    const lengths = all.flatMap(({ attributes }) =>
      Object.entries(attributes).filter(([name]) => name !== 'url.path'),
    );
    expect(Math.max(...lengths.map(([, value]) => String(value).length))).toBeLessThan(140);
    const lines = broker
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const traceOf = (message: string) => lines.find((line) => line['message'] === message)?.['traceId'];
    for (const message of ['request', 'operation opened', 'operation succeeded'])
      expect({ message, traceId: traceOf(message) }).toEqual({ message, traceId: caller.traceId });
    expect(lines.find((line) => line['message'] === 'listening')).not.toHaveProperty('traceId');
    const refused = await broker.ask('get', '/v2/catalog', { login: 'broker:wrong', headers });
    expect(refused.status).toBe(401);
    const [wrong] = named(spansOf(caller.traceId), 'GET /v2/catalog');
    expect(wrong?.attributes['http.response.status_code']).toBe(401);
  } finally {
    await broker.stop();
    await database.close();
  }
});

test('A broker that takes an operation over finds its trace in the database, and its log tells of it.', async () => {
  const catalogDir = join(scratch, 'slow');
  mkdirSync(catalogDir);
  const [service_id, plan_id] = [
    '5f0e3f55-7a51-4a4e-9f0b-000000003810',
    '5f0e3f55-7a51-4a4e-9f0b-000000003820',
  ];
  const slow = { provision: { steps: 8, each: '250ms' } };
  const plans = [{ id: plan_id, name: 'slow', description: 'Slow.', with: slow }];
  const offering = { id: service_id, name: 'slow', description: 'Slow.', provisioner: 'faulty', plans };
  writeFileSync(join(catalogDir, 'slow.json'), JSON.stringify({ ...offering, credentials: { a: 'b' } }));
  const database = await openTestDatabase();
  const env = { CATALOG_DIR: catalogDir, NODE_ROLE: 'false', LEASE: '4s' };
  const [first, second] = [await startWholeBroker(database, env), await startWholeBroker(database, env)];
  try {
    const asked = await first.ask('put', '/v2/service_instances/taken', {
      body: { service_id, plan_id, organization_guid: 'o', space_guid: 's' },
      query: { accepts_incomplete: 'true' },
      headers: { traceparent },
    });
    expect(asked.status).toBe(202);
    await first.stop();
    const ended = await until('the other one has ended it', () =>
      second
        .output()
        .split('\n')
        .find((line) => line.includes('operation succeeded')),
    );
    expect(JSON.parse(ended)).toMatchObject({ instanceId: 'taken', traceId: caller.traceId });
    const spans = spansOf(caller.traceId);
    const runs = named(spans, 'run provision');
    expect(new Set(runs.map(({ attributes }) => attributes['purveyor.holder'])).size).toBe(2);
    expect(runs.map((span) => parentOf(spans, span))).toEqual(runs.map(() => 'open provision'));
  } finally {
    await first.stop();
    await second.stop();
    await database.close();
  }
});
