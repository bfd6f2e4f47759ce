import { openSync } from 'node:fs';
import { startForLong, startGated } from '../../src/system/start-gated.ts';
import { launch } from '../../src/system/launch.ts';
import { openStarter } from '../../src/system/starter/starter.ts';
import type { LocalNode } from '../../src/node/local-node.ts';

/** A broker that starts a program and dies: `<node as JSON> <where to die> <program...>`, told by its last word. */

const [text = '', death = '', directory = '', ...command] = process.argv.slice(2);
const alone = JSON.parse(text) as LocalNode;
const node = death.endsWith('by a starter') ? { ...alone, start: openStarter().start } : alone;
const env = { PATH: node.path, PURVEYOR_INSTANCE: 'launched' };

if (death === 'at the gate') {
  const { identity } = await startGated(node, { command, cwd: directory, env }, ['ignore', 'pipe', 'pipe']);
  process.stdout.write(JSON.stringify(identity));
} else if (death === 'at the gate, by a starter') {
  const log = openSync(`${directory}/log`, 'a');
  const { identity } = await startForLong(node, { command, cwd: directory, env }, log);
  process.stdout.write(JSON.stringify(identity));
} else {
  const files = { identityFile: `${directory}/identity.json`, logFile: `${directory}/log` };
  const identity = await launch(node, { command, cwd: directory, env, ...files });
  process.stdout.write(JSON.stringify(identity));
}
process.kill(process.pid, 'SIGKILL');
