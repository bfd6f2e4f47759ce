import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Work } from '../../../src/broker/provisioner.ts';
import { aProcessNode, carry, directoryOf, following, plan, type ProcessNode, work } from './process-node.ts';

/** What hooks know of the units and directories of their instance, without a sandbox and in one. */

const works = spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', 'true']).status === 0;

/** Writes down whether there is such a process, what it is, and what else was told. */
const note = `
if [ -n "\${SERVER+there}" ]; then
  kill -0 "$SERVER" && program=$(tr '\\0' ' ' <"/proc/$SERVER/cmdline")
  seen="\${program##*/}"
fi
echo "$PURVEYOR_ACTION \${seen-none}" >> "$PURVEYOR_DIR_DATA/noted"
cat >> "$PURVEYOR_DIR_RUN/told"
`;

describe.each([
  ['without a sandbox', false],
  ['in a sandbox', true],
])('A hook %s', (where, sandboxed) => {
  const run = sandboxed && !works ? test.skip : test;
  let node: ProcessNode;
  let it: Work | undefined;
  beforeEach(async () => {
    if (!sandboxed || works) node = await aProcessNode({ sandboxed });
  });
  afterEach(async () => {
    if (it) await carry(node.provisioner, 'deprovision', it);
    it = undefined;
    await node?.close();
  });

  function planWith(env: Readonly<Record<string, string>>) {
    const file = node.hook('note', note);
    const hook = { run: [file], env, once: false, timeout: 10_000 };
    return plan({ operating: { hooks: { prepare: hook, once_ready: hook } } });
  }

  run(`A hook ${where} knows the process of a unit while it runs, and the directories.`, async () => {
    const id = `pids-${sandboxed}`;
    it = work(id, planWith({ SERVER: '{{pids.server}}' }));
    const done = await carry(node.provisioner, 'provision', it);
    const { data, run: own } = directoryOf(node, id);
    const lines = readFileSync(join(data, 'noted'), 'utf8').trim().split('\n');
    expect(lines).toEqual(['prepare none', expect.stringMatching(/^once_ready server\.json ?$/)]);
    const told = readFileSync(join(own, 'told'), 'utf8').trim().split('\n');
    const [before, after] = told.map((line) => (JSON.parse(line) as { pids: object }).pids);
    expect([before, after]).toEqual([{}, { server: expect.any(Number) }]);
    it = following(it, done);
  });

  run(`A hook ${where} that names no process is told of none.`, async () => {
    const id = `no-pids-${sandboxed}`;
    it = work(id, planWith({}));
    const done = await carry(node.provisioner, 'provision', it);
    const { data, run: own } = directoryOf(node, id);
    expect(readFileSync(join(data, 'noted'), 'utf8')).toBe('prepare none\nonce_ready none\n');
    expect(readFileSync(join(own, 'told'), 'utf8')).not.toContain('"pids"');
    it = following(it, done);
  });
});
