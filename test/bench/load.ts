import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly milliseconds: number;
  /** The bytes of the next request. */
  readonly request: () => string;
}

/**
 * Requests answered per second: each connection sends the next one when it has the answer. Plain sockets, so
 * that the client costs as little as it can beside what is measured.
 */
export async function measureLoad({ port, connections, milliseconds, request }: Load): Promise<number> {
  const end = performance.now() + milliseconds;
  const started = performance.now();
  const counts = await Promise.all(Array.from({ length: connections }, () => askUntil(end, port, request)));
  const seconds = (performance.now() - started) / 1000;
  return counts.reduce((sum, count) => sum + count, 0) / seconds;
}

/** One request and its whole answer; rejects unless the status is as expected. */
export function askOnce(port: number, request: string, status: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    onAnswer(socket, (answer) => {
      socket.destroy();
      if (answer.startsWith(`HTTP/1.1 ${status}`)) resolve(answer);
      else reject(new Error(answer));
    });
    socket.on('error', reject);
  });
}

function askUntil(end: number, port: number, request: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    const socket = connect(port, '127.0.0.1', () => socket.write(request()));
    socket.setNoDelay(true).on('error', reject);
    onAnswer(socket, (answer) => {
      if (!answer.startsWith('HTTP/1.1 2')) return reject(new Error(answer));
      count += 1;
      if (performance.now() < end) return socket.write(request());
      socket.destroy();
      return resolve(count);
    });
  });
}

/** Calls back for every whole answer; all answers here have a Content-Length. */
function onAnswer(socket: Socket, answered: (answer: string) => void): void {
  let got = '';
  let missing = Infinity;
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    got += chunk;
    if (missing === Infinity) {
      const head = got.indexOf('\r\n\r\n');
      if (head < 0) return;
      missing = head + 4 + Number(/^content-length: (\d+)/im.exec(got.slice(0, head))?.[1] ?? 0);
    }
    if (got.length < missing) return;
    const answer = got;
    got = '';
    missing = Infinity;
    answered(answer);
  });
}

export interface Wanted {
  readonly method: string;
  readonly path: string;
  readonly login: string;
  readonly body?: object;
}

/** A request as a platform sends it. */
export function requestText({ method, path, login, body }: Wanted): string {
  const text = body === undefined ? '' : JSON.stringify(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Basic ${Buffer.from(login).toString('base64')}`,
    'X-Broker-API-Version: 2.17',
    'Accept: application/json',
    ...(text ? ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${text}`;
}
