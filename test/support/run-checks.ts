// Format, lint and types, side by side: each of them keeps one processor busy for most of its time.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const checks = ['format', 'lint', 'types'].map(async (name) => {
  const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
});
if ((await Promise.all(checks)).includes(false)) process.exitCode = 1;
