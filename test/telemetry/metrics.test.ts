import type { OperationSummary } from '../../src/broker/events.ts';
import type { Node } from '../../src/broker/nodes.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';

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

test('Requests are counted and timed by protocol, method, route and class of status', async () => {
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

test('What a caller sends makes no new label', async () => {
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

test('Operations are counted by kind, and those that ended timed by result', async () => {
  const metrics = createMetrics({ offeringName: (id) => (id === 'echo_service' ? 'echo' : undefined) });
  metrics.event({ type: 'operation-opened', operation });
  metrics.event({ type: 'operation-settled', operation, ms: 1500 });
  metrics.event({ type: 'operation-cancelled', operation, by: 'op2' });
  metrics.event({ type: 'operation-lost', operation });
  metrics.event({ type: 'step-failed', operation, detail: 'x' });
  metrics.event({ type: 'step-failed', operation, detail: 'x', retryMs: 1000 });
  metrics.event({ type: 'binding-expired', instanceId: 'i1', bindingId: 'b1' });
  metrics.event({ type: 'operation-claimed', operation });
  const counts = { waiting: 1, started: 0, succeeded: 2, failed: 1, skipped: 0 };
  metrics.event({ type: 'upgrades-changed', run: 'r1', state: 'paused', counts });
  metrics.event({ type: 'webhook-tried', receiver: 'w', id: 'm', event: 'e', result: 'failed' });
  metrics.event({ type: 'trouble', doing: 'work', detail: 'x' });
  const page = await pageOf(metrics);
  const lines = page.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'purveyor_operations_opened_total{kind="bind"} 1',
      'purveyor_operation_duration_seconds_sum{kind="bind",offering="echo",result="failed"} 1.5',
      'purveyor_operations_cancelled_total{kind="bind"} 1',
      'purveyor_operations_lost_total{kind="bind"} 1',
      'purveyor_steps_failed_total{kind="bind"} 2',
      'purveyor_steps_retried_total{kind="bind"} 1',
      'purveyor_bindings_expired_total 1',
      'purveyor_upgrade_runs_total{state="paused"} 1',
      'purveyor_webhooks_total{receiver="w",result="failed"} 1',
      'purveyor_troubles_total 1',
    ]),
  );
  expect(page).not.toMatch(/op1|i1|b1/);
});

test('Commands are counted by kind and result, and by nothing that a caller sends', async () => {
  const metrics = createMetrics();
  const of = { type: 'command-ended', origin: { protocol: 'operator', principal: 'ops' }, ms: 1 } as const;
  metrics.event({ ...of, command: { kind: 'drain', node: 'n1' } });
  metrics.event({ ...of, command: { kind: 'log', instanceId: 'i1', lines: 5 } });
  const failure = { word: 'not-found', sentence: 'There is none.' };
  metrics.event({ ...of, command: { kind: 'log', instanceId: 'i2', lines: 5 }, failure });
  const page = await pageOf(metrics);
  expect(page.match(/^purveyor_commands_total.*$/gm)).toEqual([
    'purveyor_commands_total{command="drain",result="succeeded"} 1',
    'purveyor_commands_total{command="log",result="succeeded"} 1',
    'purveyor_commands_total{command="log",result="failed"} 1',
  ]);
});

test('Two brokers in one process count for themselves', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  one.event({ type: 'operation-opened', operation });
  expect(await pageOf(other)).not.toContain('purveyor_operations_opened_total{');
});

test('An operation of an offering that has left the catalog has no name of one', async () => {
  const metrics = createMetrics();
  metrics.event({ type: 'operation-settled', operation, ms: 1 });
  expect(await pageOf(metrics)).toContain(
    'purveyor_operation_duration_seconds_count{kind="bind",offering="none",result="failed"} 1',
  );
});

test('Connections to the database are told, and what runs', async () => {
  let pool: { totalCount: number; idleCount: number; waitingCount: number } | undefined;
  const metrics = createMetrics({ connections: () => pool, version: '1.2.3' });
  expect(await pageOf(metrics)).not.toContain('purveyor_database_connections{');
  pool = { totalCount: 8, idleCount: 3, waitingCount: 2 };
  expect((await pageOf(metrics)).split('\n')).toEqual(
    expect.arrayContaining([
      'purveyor_database_connections{state="idle"} 3',
      'purveyor_database_connections{state="used"} 5',
      'purveyor_database_connections_wanted 2',
      `purveyor_build_info{version="1.2.3",node="${process.version}"} 1`,
    ]),
  );
});

test('The process itself is measured too', async () => {
  expect(await pageOf(createMetrics())).toContain('process_resident_memory_bytes');
});

const node: Node = {
  name: 'n1',
  host: '127.0.0.1',
  url: 'http://127.0.0.1:1',
  directory: '/n1',
  ports: { first: 1, last: 9 },
  capacity: 100,
  executables: [],
  isolation: 'none',
  allowsUnisolated: true,
  draining: false,
  beatAt: new Date(0),
  stale: false,
  used: 7,
  instances: 5,
  portsFree: 4,
};
const none = { down: 0, error: 0, building: 0, unreachable: 0, stopped: 0, started: 0 };
const nothingOpen = { kinds: new Map(), oldestMs: 0, waitingMs: 0 };

test('Nodes, instances, units and orphans are counted when somebody asks', async () => {
  const metrics = createMetrics({
    takeStock: async () => ({
      stock: {
        nodes: [
          node,
          { ...node, name: 'n2', draining: true },
          { ...node, name: 'n3', draining: true, stale: true },
        ],
        instances: [
          { offering: 'redis', plan: 'small', status: 'started', count: 3 },
          { offering: 'redis', plan: 'large', status: 'error', count: 1 },
        ],
        drifted: new Map([['redis', 2]]),
        units: { ...none, started: 5 },
        orphans: { suspect: 2, final: 1 },
        hidden: 2,
        open: { kinds: new Map([['bind', 3]]), oldestMs: 90_000, waitingMs: 1500 },
      },
      ageMs: 4321,
    }),
  });
  expect((await pageOf(metrics)).split('\n')).toEqual(
    expect.arrayContaining([
      'purveyor_stock_age_seconds 4.321',
      'purveyor_nodes{state="up"} 1',
      'purveyor_nodes{state="draining"} 1',
      'purveyor_nodes{state="down"} 1',
      'purveyor_node_capacity{node="n1"} 100',
      'purveyor_node_used{node="n1"} 7',
      'purveyor_node_instances{node="n1"} 5',
      'purveyor_node_ports_free{node="n1"} 4',
      'purveyor_instances{offering="redis",plan="small",status="started"} 3',
      'purveyor_instances{offering="redis",plan="large",status="error"} 1',
      'purveyor_instances_drifted{offering="redis"} 2',
      'purveyor_operations_open{kind="bind"} 3',
      'purveyor_operations_oldest_seconds 90',
      'purveyor_operations_waiting_seconds 1.5',
      'purveyor_units{status="started"} 5',
      'purveyor_orphans{state="suspect"} 2',
      'purveyor_orphans{state="final"} 1',
      'purveyor_offerings_hidden 2',
    ]),
  );
});

test('What cannot be counted now is left out, and so is a node that is forgotten', async () => {
  let nodes: readonly Node[] | undefined = [node];
  const metrics = createMetrics({
    async takeStock() {
      if (!nodes) throw new Error('The database is away.');
      const orphans = { suspect: 0, final: 0 };
      const empty = { instances: [], drifted: new Map(), units: none, orphans, hidden: 0, open: nothingOpen };
      return { stock: { nodes, ...empty }, ageMs: 1 };
    },
  });
  expect(await pageOf(metrics)).toContain('node="n1"');
  nodes = [];
  expect(await pageOf(metrics)).not.toContain('node="n1"');
  nodes = undefined;
  const page = await pageOf(metrics);
  expect(page).not.toMatch(
    /^purveyor_(nodes|instances|units|orphans|offerings_hidden|stock_age_seconds|operations_(open|oldest_seconds))\b(?!_)/m,
  );
  expect(page).toContain('purveyor_troubles_total 0');
});

test('Restarts of what had failed, and instances that are left alone, are counted', async () => {
  const metrics = createMetrics();
  const healing = { ...operation, kind: 'restart' as const, origin: { protocol: 'monitor' } };
  metrics.event({ type: 'operation-opened', operation: healing });
  metrics.event({ type: 'operation-opened', operation: { ...healing, origin: { protocol: 'operator' } } });
  metrics.event({ type: 'unit-changed', instanceId: 'i1', unit: 'u1', to: 'error', reason: 'x' });
  metrics.event({ type: 'left-alone', instanceId: 'i1', unit: 'main', restarts: 3 });
  metrics.event({ type: 'orphan-removed', provisioner: 'process', node: 'n1', name: 'p1' });
  const page = await pageOf(metrics);
  expect(page.split('\n')).toEqual(
    expect.arrayContaining([
      'purveyor_heals_total 1',
      'purveyor_left_alone_total 1',
      'purveyor_unit_changes_total{to="error"} 1',
      'purveyor_orphans_removed_total 1',
    ]),
  );
  expect(page).not.toMatch(/i1|u1|"p1"/);
});
