import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { carry, config, directoryOf, following, plan } from './process-node.ts';
import { failureOf, on, onProcessNode, testNode } from './services-on-node.ts';

/** The hook once_ready: once in the life of an instance, when it runs and before anybody uses it. */

onProcessNode();

const making = ['init', 'prepare', 'configure', 'check_up', 'start', 'check_up'];
const provision = (it: Work) => carry(testNode.provisioner, 'provision', it);

function hook(script: string, run: readonly string[] = []) {
  return { run: [testNode.hook('once-ready', script), ...run], env: {}, once: false, timeout: 10_000 };
}

function planWith(script: string, run?: readonly string[]) {
  return plan({ operating: { hooks: { once_ready: hook(script, run) } } });
}

const dataFile = (id: string, name: string) => join(directoryOf(testNode, id).data, name);
const ran = (id: string) => readFileSync(dataFile(id, 'ran'), 'utf8').split('\n').length - 1;

test('Once_ready is the last step of making an instance: the service runs, and what it tells is kept.', async () => {
  // `starts` is written by the server when it listens.
  const script = `test -s starts || exit 1; echo "{\\"port\\": $1, \\"action\\": \\"$PURVEYOR_ACTION\\"}"`;
  const { did, made } = await provision(on('told-once', planWith(script, ['{{ports.main}}'])));
  expect(did).toEqual([...making, 'once_ready']);
  const { ports, outputs } = made.facts as { ports: JsonObject; outputs: Json };
  expect(outputs).toEqual({ once_ready: { port: ports['main'], action: 'once_ready' } });
});

test('Once_ready does not run again with a stop, start, restart, an update or a restart by the monitor.', async () => {
  const it = on('no-more', planWith('echo >> ran; echo \'{"key": "first"}\''));
  const done = await provision(it);
  const next = following(it, done);
  for (const word of ['stop', 'start', 'restart'] as const) await carry(testNode.provisioner, word, next);
  await carry(testNode.provisioner, 'restart', { ...next, sparing: { end: ['server'] } });
  const { server } = config.processes;
  const changed = plan({
    operating: it.plan.operating,
    making: { config: { ...config, processes: { server: { ...server, env: { COLOUR: 'red' } } } } },
  });
  const updated = await carry(testNode.provisioner, 'update', following(it, done, { plan: changed }));
  expect(updated.did).toContain('start');
  expect(updated.made.facts).toMatchObject({ outputs: { once_ready: { key: 'first' } } });
  expect(ran('no-more')).toBe(1);
});

test('Once_ready that ended well is not called again when its broker has died before it wrote that down.', async () => {
  const it = on('died-after', planWith('echo >> ran; echo \'{"key": "first"}\''));
  let memo: Json | undefined;
  for (const _step of making) {
    const step = await testNode.provisioner.provision({ ...it, memo });
    memo = 'again' in step ? step.again.memo : undefined;
  }
  // What the first of them has done is lost with it.
  await testNode.provisioner.provision({ ...it, memo });
  const step = await testNode.provisioner.provision({ ...it, memo });
  expect(step).toMatchObject({ done: { facts: { outputs: { once_ready: { key: 'first' } } } } });
  expect(ran('died-after')).toBe(1);
});

test('Once_ready that asks for another try gets it, and the tries are counted.', async () => {
  const script = 'echo >> ran; test $(wc -l < ran) -ge 2 || exit 75';
  const { deeds } = await provision(on('tries-once-ready', planWith(script)));
  expect(deeds.at(-1)).toEqual({ step: 'once_ready', tries: 2 });
});

test('An instance whose once_ready has failed is not made, and is removed with its process.', async () => {
  const it = on('not-made', planWith('echo "no such user" >&2; exit 1'));
  const failed = await failureOf(provision(it));
  expect(failed).toMatchObject({ message: 'The step once_ready failed (exit code 1): no such user' });
  expect(failed.did).toEqual(making);
  const { did } = await carry(testNode.provisioner, 'deprovision', it);
  expect(did).toEqual(['stop', 'check_up', 'remove', 'release']);
  expect(existsSync(directoryOf(testNode, 'not-made').base)).toBe(false);
});

test('Once_ready that was broken off runs again from its beginning.', async () => {
  const it = on('broken-off', planWith('echo >> ran; test -e finish || exit 1'));
  await failureOf(provision(it));
  writeFileSync(dataFile('broken-off', 'finish'), '');
  expect((await provision(it)).did.at(-1)).toBe('once_ready');
  expect(ran('broken-off')).toBe(2);
});
