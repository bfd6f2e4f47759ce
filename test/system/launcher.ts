import { startGated } from '../../src/system/start-gated.ts';
import { launch } from '../../src/system/launch.ts';
import type { LocalNode } from '../../src/node/local-node.ts';

/** A broker that starts a program and dies: `<node as JSON> <where to die> <program...>`, told by its last word. */

const [text = '', death = '', directory = '', ...command] = process.argv.slice(2);
const node = JSON.parse(text) as LocalNode;
const env = { PATH: node.path, PURVEYOR_INSTANCE: 'launched' };

if (death === 'at the gate') {
  const { identity } = await startGated(node, { command, cwd: directory, env }, ['ignore', 'pipe', 'pipe']);
  process.stdout.write(JSON.stringify(identity));
} else {
  const files = { identityFile: `${directory}/identity.json`, logFile: `${directory}/log` };
  const identity = await launch(node, { command, cwd: directory, env, ...files });
  process.stdout.write(JSON.stringify(identity));
}
process.kill(process.pid, 'SIGKILL');
