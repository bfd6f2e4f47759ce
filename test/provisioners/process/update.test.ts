import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { anInstance } from '../../broker/fixtures.ts';
import {
  carry,
  config,
  directoryOf,
  following,
  look,
  pidOf,
  plan,
  portOf,
  say,
  work,
} from './process-node.ts';
import { failureOf, on, onProcessNode, testNode } from './services-on-node.ts';

/** What an update changes, and what it leaves. */

onProcessNode();

async function aService(id: string, of = plan()) {
  const it = on(id, of);
  const done = await carry(testNode.provisioner, 'provision', it);
  const next = (params: JsonObject, shall = of, given: Partial<Work> = {}) => {
    const wanted = work(id, shall, { params, ...given });
    return following(wanted, done, { previous: it.instance });
  };
  return { it, done, next, port: portOf(done) };
}

const update = (it: Work) => carry(testNode.provisioner, 'update', it);

test('A16: A changed file is written anew and the service restarted with its data, at its port.', async () => {
  const { next, port, done } = await aService('changed');
  await say(port, 'SET kept');
  const pid = pidOf(testNode, 'changed');
  const updated = await update(next({ says: 'goodbye' }));
  expect(updated.did).toEqual(['init', 'stop', 'check_up', 'configure', 'start', 'check_up']);
  expect(updated.made).toEqual(done.made);
  expect(pidOf(testNode, 'changed')).not.toBe(pid);
  expect(await say(port, 'SAY')).toBe('goodbye');
  expect(await say(port, 'GET')).toBe('kept');
});

test('A16: Nothing is restarted when no file, command or environment has changed.', async () => {
  const { next } = await aService('same');
  const pid = pidOf(testNode, 'same');
  const ready = { port: 'main', send: 'SAY\n', expect: 'hello' };
  const server = { ...config.processes.server, ready, order: 2 };
  const shall = plan({ making: { config: { ...config, processes: { server } } } });
  expect((await update(next({}, shall))).did).toEqual(['init']);
  expect(pidOf(testNode, 'same')).toBe(pid);
});

test('A port and a file that are new are made, and a file that is no more is removed.', async () => {
  const { next } = await aService('more');
  const more = {
    ports: ['main', 'other'],
    files: { ...config.files, 'sub/other.conf': 'port {{ports.other}}\n' },
  };
  const { made: after } = await update(next({}, plan({ making: { config: { ...config, ...more } } })));
  const { main, other } = (after.facts?.['ports'] ?? {}) as Record<string, number>;
  expect(main).not.toBe(other);
  const file = join(directoryOf(testNode, 'more').conf, 'sub/other.conf');
  expect(readFileSync(file, 'utf8')).toBe(`port ${other}\n`);
  await update(next({}));
  expect(existsSync(file)).toBe(false);
});

test('P9: When the new one does not come up, the old one is put back and runs.', async () => {
  const shall = plan({ operating: { timeouts: { start: 10_000 } } });
  const { next, port } = await aService('failing', shall);
  await say(port, 'SET kept');
  const failed = await failureOf(update(next({ more: '"dies": true,' }, shall)));
  expect(failed.message).toBe('The service ended before it was ready.');
  expect(failed.hints).toMatchObject({ instanceUsable: true, updateRepeatable: true });
  expect(failed.hints.detail).toContain('the disk is made of cheese');
  expect(failed.did).toEqual(['init', 'stop', 'check_up', 'configure', 'start', 'restore']);
  expect(await say(port, 'SAY')).toBe('hello');
  expect(await say(port, 'GET')).toBe('kept');
  const { did } = await update(next({ says: 'now' }, shall));
  expect(did).toEqual(['init', 'stop', 'check_up', 'configure', 'start', 'check_up']);
  expect(await say(port, 'SAY')).toBe('now');
});

test('P9: A configure hook that fails at an update leaves the old one running.', async () => {
  const { next, port } = await aService('hooked');
  const configure = { run: [testNode.hook('no', 'exit 1')], env: {}, once: false, timeout: 30_000 };
  const failed = await failureOf(update(next({ says: 'x' }, plan({ operating: { hooks: { configure } } }))));
  expect(failed.hints).toMatchObject({ instanceUsable: true });
  expect(await say(port, 'SAY')).toBe('hello');
});

test.each([
  ['a link', (file: string) => symlinkSync('/etc/hostname', file)],
  ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ['a giant', (file: string) => truncateSync(file, 20_000_000)],
])('An update is refused while the old one runs when its file has become %s.', async (what, become) => {
  const { next, port } = await aService(`strange ${what}`);
  const file = join(directoryOf(testNode, `strange ${what}`).conf, 'server.json');
  if (what !== 'a giant') unlinkSync(file);
  become(file);
  const failed = await failureOf(update(next({ says: 'x' })));
  expect(failed.word).toBe('changed');
  expect(await say(port, 'SAY')).toBe('hello');
});

test('What cannot be rendered is found out while the old one runs.', async () => {
  const { next } = await aService('template');
  const pid = pidOf(testNode, 'template');
  const shall = plan({ making: { config: { ...config, files: { a: '{{params.nowhere}}' } } } });
  expect((await failureOf(update(next({}, shall)))).word).toBe('template');
  expect(pidOf(testNode, 'template')).toBe(pid);
  expect(await look(testNode, next({}))).toMatchObject({ answer: 'ready' });
});

test('A line break in a parameter does not become a line of a file.', async () => {
  const shall = plan({
    making: { config: { ...config, files: { ...config.files, a: 'x {{params.says}}' } } },
  });
  const { next } = await aService('injection', shall);
  expect((await failureOf(update(next({ says: 'a\nrequirepass ""' }, shall)))).word).toBe('template');
});

test('An instance that is at rest is configured anew and stays at rest.', async () => {
  const { next, it } = await aService('at-rest');
  await carry(testNode.provisioner, 'stop', next({}));
  const resting = next({ says: 'later' }, plan(), {
    instance: anInstance({ id: it.instance.id, stopped: true }),
  });
  expect((await update(resting)).did).toEqual(['init', 'configure']);
  expect(await look(testNode, next({ says: 'later' }))).toMatchObject({ alive: false });
  expect((await carry(testNode.provisioner, 'start', next({ says: 'later' }))).did).toEqual([
    'start',
    'check_up',
  ]);
});

test('An update hook runs at each update, also when nothing has changed.', async () => {
  const hook = {
    run: [testNode.hook('update', 'echo >> updates; echo \'{"at": 1}\'')],
    env: {},
    once: false,
    timeout: 30_000,
  };
  const shall = plan({ operating: { hooks: { update: hook } } });
  const { next } = await aService('update-hook', shall);
  const { did, made: after } = await update(next({}, shall));
  expect(did).toEqual(['init', 'update']);
  expect(after.facts).toMatchObject({ outputs: { update: { at: 1 } } });
  await update(next({ says: 'x' }, shall));
  expect(readFileSync(join(directoryOf(testNode, 'update-hook').data, 'updates'), 'utf8')).toBe('\n\n');
});

test("A file that is kept is written once, and from then on the program's own.", async () => {
  const withKept = (text: string) => {
    const files = { ...config.files, users: { content: text, keep: true }, other: text };
    return plan({ making: { config: { ...config, files } } });
  };
  const { next } = await aService('kept', withKept('first'));
  const { conf } = directoryOf(testNode, 'kept');
  writeFileSync(join(conf, 'users'), 'written by the program');
  await update(next({}, withKept('second')));
  expect(readFileSync(join(conf, 'other'), 'utf8')).toBe('second');
  expect(readFileSync(join(conf, 'users'), 'utf8')).toBe('written by the program');
  unlinkSync(join(conf, 'users'));
  await carry(testNode.provisioner, 'restart', next({}, withKept('second')));
  expect(readFileSync(join(conf, 'users'), 'utf8')).toBe('second');
});

test('A unit that somebody has stopped stays at rest when its instance is changed.', async () => {
  const { next, port } = await aService('at-rest');
  await carry(testNode.provisioner, 'stop', next({}));
  const stopped = anInstance({ id: 'at-rest', stoppedUnits: ['server'] });
  const { did } = await update({ ...next({ says: 'later' }), instance: stopped });
  expect(did).toEqual(['init', 'configure', 'start', 'check_up']);
  await expect(say(port, 'PING')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
