import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { S3mini } from 's3mini';
import { listen } from '../database-gate.ts';
import { scratchDirectory } from '../scratch-directory.ts';

/** What the gate does with a request: `cut` breaks it off within its body, `hang` never answers. */
export type Passage = 'pass' | 'refuse' | 'cut' | 'hang';

export interface S3Server {
  /** Of its bucket, through the gate. */
  readonly url: string;
  readonly login: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** With the login, as BACKUP_S3_CREDENTIALS names it. */
  readonly credentials: string;
  /** From now on each request is asked about. */
  judge(how: (method: string, path: string) => Passage): void;
  /** The names of all objects, whatever the gate does. */
  objects(): Promise<readonly string[]>;
  /** A client of the server, whatever the gate does. */
  readonly direct: S3mini;
  close(): Promise<void>;
}

/** Debian's own, for which its packages are. */
const python = '/usr/bin/python3';

/** Why there is no such server on this machine; undefined: there is. */
const missing =
  spawnSync(python, ['-c', 'import swift.common.middleware.s3api'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'Debian packages swift-proxy, swift-account, swift-container and swift-object are missing';

/** Tests that need one; they skip and say so where there is none. */
export function describeWithS3(title: string, tests: () => void): void {
  if (missing === undefined) describe(title, tests);
  else describe.skip(`${title} (skipped: ${missing})`, tests);
}

/** OpenStack Swift, which speaks S3 and asks for signatures, as a process of its own, behind a gate. */
export async function startS3Server(): Promise<S3Server> {
  const directory = scratchDirectory('s3');
  // The form that its own logins have.
  const login = { accessKeyId: 'test:tester', secretAccessKey: `secret-${randomUUID()}` };
  const words = [join(import.meta.dirname, 'server.py'), directory, login.accessKeyId, login.secretAccessKey];
  const child = spawn(python, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const inner = await portOf(child.stdout);
  const credentials = join(directory, 'credentials');
  writeFileSync(
    credentials,
    `[default]\naws_access_key_id = ${login.accessKeyId}\naws_secret_access_key=${login.secretAccessKey}\n`,
    { mode: 0o600 },
  );
  const direct = new S3mini({ ...login, endpoint: `http://127.0.0.1:${inner}/kept`, region: 'us-east-1' });
  await direct.createBucket();
  let how: (method: string, path: string) => Passage = () => 'pass';
  const gate = createServer((asked, answer) =>
    passOn(asked, answer, inner, how(asked.method ?? '', asked.url ?? '')),
  );
  const port = await listen(gate);
  return {
    url: `http://127.0.0.1:${port}/kept`,
    login,
    credentials,
    direct,
    judge: (next) => void (how = next),
    objects: async () => ((await direct.listObjects()) ?? []).map(({ Key: name }) => name).toSorted(),
    async close() {
      gate.closeAllConnections();
      await new Promise((resolve) => gate.close(resolve));
      await end(child);
    },
  };
}

async function portOf(output: Readable): Promise<number> {
  let told = '';
  for await (const text of output.setEncoding('utf8')) {
    told += String(text);
    const [, port] = /listens on (\d+)\n/.exec(told) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`The S3 server has ended: ${told}`);
}

function passOn(asked: IncomingMessage, answer: ServerResponse, port: number, passage: Passage): void {
  if (passage === 'hang') return;
  if (passage === 'refuse') {
    asked.resume().on('end', () => answer.writeHead(503).end());
    return;
  }
  const { method, url: path, headers } = asked;
  const onward = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answered) => {
    answer.writeHead(answered.statusCode ?? 500, answered.headers);
    answered.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  if (passage === 'pass') return void asked.pipe(onward);
  asked.once('data', (chunk: Buffer) => {
    onward.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => {
      onward.destroy();
      asked.destroy();
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
