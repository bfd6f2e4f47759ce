import type { LocalNode } from '../../../src/node/local-node.ts';
import type { Json } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { processes } from '../../../src/provisioners/process/index.ts';
import { portsWith } from './fixed-ports.ts';

/**
 * A broker that carries an operation and tells each memo when it has recorded it: `<node> <port> <work> <word> <steps>`.
 * When so many steps were taken it dies before it records the last of them. What repeats is recorded with what follows.
 */
const [node = '', port = '', text = '', word = '', steps = ''] = process.argv.slice(2);
// What keeps limits is made of functions, which are not handed over.
const { keeper: _keeper, ...here } = JSON.parse(node) as LocalNode;
const provisioner = processes({ node: here, ports: portsWith(Number(port)) });
const given = JSON.parse(text) as Omit<Work, 'redact' | 'signal'>;
let work: Work = { ...given, redact: (said) => said, signal: new AbortController().signal };

for (let count = 1; ; count += 1) {
  const step = word === 'update' ? await provisioner.update?.(work) : await provisioner.provision(work);
  if (count === Number(steps)) process.kill(process.pid, 'SIGKILL');
  if (!step || 'done' in step) break;
  const { memo, repeats } = step.again;
  if (!repeats) process.stdout.write(`${JSON.stringify(memo)}\n`);
  work = { ...work, memo: JSON.parse(JSON.stringify(memo)) as Json };
}
process.stdout.write('done\n');
