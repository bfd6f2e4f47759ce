import type { OperationSummary } from '../src/broker/events.ts';
import { createMetrics, type Metrics } from '../src/metrics.ts';

const operation: OperationSummary = {
  id: 'op1',
  kind: 'bind',
  instanceId: 'i1',
  offeringId: 'echo_service',
  planId: 'big_0001',
  state: 'failed',
  attempt: 1,
  failures: 0,
  origin: { protocol: 'osb' },
  createdAt: new Date(0),
  deadline: new Date(1),
};

async function pageOf(metrics: Metrics): Promise<string> {
  const { bytes } = await metrics.page();
  return new TextDecoder().decode(bytes);
}

test('requests are counted and timed by protocol, method, route and class of status', async () => {
  const metrics = createMetrics();
  const access = { requestId: 'r', protocol: 'osb', method: 'GET', path: '/v2/catalog', ms: 2, bytes: 9 };
  metrics.access({ ...access, route: '/v2/catalog', status: 200 });
  metrics.access({ ...access, route: '/v2/catalog', status: 204 });
  const page = await pageOf(metrics);
  expect(page).toContain(
    'purveyor_request_duration_seconds_count{protocol="osb",method="GET",route="/v2/catalog",status="2xx"} 2',
  );
  expect(page).toContain('purveyor_request_duration_seconds_sum');
});

test('what a caller sends makes no new label', async () => {
  const metrics = createMetrics();
  for (let n = 0; n < 50; n += 1) {
    metrics.access({
      requestId: `r${n}`,
      protocol: 'osb',
      method: `M${n}`,
      path: `/v2/${n}`,
      status: 404,
      ms: 1,
      bytes: 9,
    });
  }
  const counts = (await pageOf(metrics)).match(/^purveyor_request_duration_seconds_count.*$/gm);
  expect(counts).toEqual([
    'purveyor_request_duration_seconds_count{protocol="osb",method="other",route="none",status="4xx"} 50',
  ]);
});

test('operations are counted by kind, and those that ended timed by result', async () => {
  const metrics = createMetrics();
  metrics.event({ type: 'operation-opened', operation });
  metrics.event({ type: 'operation-settled', operation, ms: 1500 });
  metrics.event({ type: 'operation-cancelled', operation, by: 'op2' });
  metrics.event({ type: 'operation-lost', operation });
  metrics.event({ type: 'step-failed', operation, detail: 'x' });
  metrics.event({ type: 'step-failed', operation, detail: 'x', retryMs: 1000 });
  metrics.event({ type: 'binding-expired', instanceId: 'i1', bindingId: 'b1' });
  metrics.event({ type: 'trouble', doing: 'work', detail: 'x' });
  const page = await pageOf(metrics);
  const lines = page.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'purveyor_operations_opened_total{kind="bind"} 1',
      'purveyor_operation_duration_seconds_sum{kind="bind",result="failed"} 1.5',
      'purveyor_operations_cancelled_total{kind="bind"} 1',
      'purveyor_operations_lost_total{kind="bind"} 1',
      'purveyor_steps_failed_total{kind="bind"} 2',
      'purveyor_steps_retried_total{kind="bind"} 1',
      'purveyor_bindings_expired_total 1',
      'purveyor_troubles_total 1',
    ]),
  );
  expect(page).not.toMatch(/op1|i1|b1/);
});

test('two brokers in one process count for themselves', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.event({ type: 'operation-opened', operation });
  expect(await pageOf(other)).not.toContain('purveyor_operations_opened_total{');
});

test('the process itself is measured too', async () => {
  expect(await pageOf(createMetrics())).toContain('process_resident_memory_bytes');
});
