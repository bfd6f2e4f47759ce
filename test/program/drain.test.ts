import { offeringId, writeOffering } from '../faults/offering.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { addressOf, call, startedBrokers, stop } from '../support/started-brokers.ts';

const { start } = startedBrokers();

const env = { CATALOG_DIR: 'catalog:catalog/trial', BROKER_PASSWORD: 'p', ASYNC_PATIENCE: '250ms' };
const offering = '95a9f5b3-db5d-420c-b4e5-48f342e6d500';
const scratch = scratchDirectory('drain');
const plan = { id: 'long', with: { provision: { takes: '20s' } } };
const plans = { slow: `${offering.slice(0, -1)}2`, steps: `${offering.slice(0, -1)}3` };

function provision(address: string, id: string, plan: string, query = ''): Promise<Response> {
  const service = plan === 'long' ? offeringId : offering;
  const body = { service_id: service, plan_id: plan, organization_guid: 'o', space_guid: 's' };
  return call('broker:p', `${address}/v2/service_instances/${id}${query}`, { method: 'PUT', body });
}

test('A request that is running when the broker is told to stop gets its answer', async () => {
  const running = start(env);
  const address = await addressOf(running);
  const answer = provision(address, 'sync', plans.steps);
  await running.shows(/operation opened/);
  const ended = stop(running);
  expect((await answer).status).toBe(201);
  expect((await ended).code).toBe(0);
  await expect(fetch(`${address}/healthz`)).rejects.toThrow();
});

test('What does not end in time is handed over, and the next broker takes it up at once', async () => {
  // Long enough for all to be closed, and far shorter than the work.
  const longest = { ...env, DRAIN: '10s', CATALOG_DIR: writeOffering(scratch, [plan]) };
  const first = start({ ...longest, LEASE: '10m' });
  expect((await provision(await addressOf(first), 'async', plan.id, '?accepts_incomplete=true')).status).toBe(
    202,
  );
  const started = Date.now();
  expect((await stop(first)).code).toBe(0);
  expect(Date.now() - started).toBeLessThan(100_000);

  const second = start(longest);
  const address = await addressOf(second);
  await second.shows(/operation succeeded .*instanceId=async/);
  const poll = await call('broker:p', `${address}/v2/service_instances/async/last_operation`);
  expect(await poll.json()).toMatchObject({ state: 'succeeded' });
  await stop(second);
});

test('A second signal ends the broker at once', async () => {
  const running = start(env);
  const address = await addressOf(running);
  const answer = provision(address, 'cut', plans.slow).catch(() => 'cut off');
  await running.shows(/operation opened/);
  running.signal('SIGTERM');
  await running.shows(/stopping why=SIGTERM/);
  await new Promise((resolve) => setTimeout(resolve, 600));
  running.signal('SIGTERM');
  expect((await running.ended).code).toBe(1);
  expect(await answer).toBe('cut off');
});

test('What does not end although it was told to does not keep the process alive', async () => {
  const endless = `data:text/javascript,setInterval(()=>{},1000)`;
  const running = start({ ...env, NODE_OPTIONS: `--import=${endless}` });
  await addressOf(running);
  const { code, output } = await stop(running);
  expect(output).toContain('stopped');
  expect(code).toBe(0);
});
