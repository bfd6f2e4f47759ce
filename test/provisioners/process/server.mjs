// A tiny service: lines in, lines out. `server.mjs <configuration file>`, a JSON file with `host`, `port`, `data`,
// `password` and how it misbehaves.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { host, port, data, password = '', late = 0, stubborn = false, dies = false, mute = false } = settings;
const users = join(data, 'users');
appendFileSync(join(data, 'starts'), `${process.pid}\n`);
console.log(`begins with ${password}`);
if (stubborn) process.on('SIGTERM', () => console.log('SIGTERM is ignored'));
if (settings.daemon) {
  const daemon = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  writeFileSync(join(data, 'daemon'), String(daemon.pid));
  daemon.unref();
}
if (dies) {
  console.error('the disk is made of cheese');
  process.exit(3);
}

const commands = {
  PING: () => 'PONG',
  PID: () => String(process.pid),
  ENV: () => JSON.stringify(process.env),
  SAY: () => settings.says ?? '',
  SET(value) {
    writeFileSync(join(data, 'value'), value);
    return 'OK';
  },
  GET: () => readFileSync(join(data, 'value'), 'utf8'),
  USERADD(name) {
    appendFileSync(users, `+${name}\n`);
    return 'OK';
  },
  USERDEL(name) {
    appendFileSync(users, `-${name}\n`);
    return 'OK';
  },
};

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    if (mute) return;
    for (const line of text.split('\n').filter(Boolean)) {
      const [word, ...rest] = line.split(' ');
      socket.write(`${commands[word]?.(rest.join(' ')) ?? 'ERR'}\n`);
    }
  });
});
setTimeout(() => server.listen(port, host), late);
