import { connect } from 'node:net';
import { testPassword } from './whole-broker.ts';

export interface RawRequest {
  readonly method?: string;
  /** Sent as it is, whatever it is. */
  readonly target: string;
  /** Replace those that a platform sends; a list is sent as several lines, undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string | Uint8Array;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The bytes of a request as a platform sends it, which no client library has tidied up. */
export function rawRequest({ method = 'GET', target, headers = {}, body }: RawRequest): Uint8Array {
  const content = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body ?? '');
  const all: RawRequest['headers'] = {
    host: 'broker.test',
    connection: 'close',
    authorization: `Basic ${Buffer.from(`broker:${testPassword}`).toString('base64')}`,
    'x-broker-api-version': '2.17',
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': `${content.length}` }),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    (Array.isArray(value) ? (value as readonly string[]) : value === undefined ? [] : [value as string]).map(
      (one) => `${name}: ${one}`,
    ),
  );
  const head = [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), content]);
}

/** Sends these bytes over a connection of their own and gives the one answer. */
export async function sendRaw(url: string, bytes: Uint8Array): Promise<RawAnswer> {
  return readAnswer(await exchange(url, bytes));
}

/** All that comes back until the server closes the connection. */
export function exchange(url: string, bytes: Uint8Array): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    socket.setTimeout(20_000, () => socket.destroy(new Error('The server did not close the connection.')));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    // A server that refuses a large body may close before all of it is sent; its answer counts.
    socket.on('error', (error) => (chunks.length > 0 ? resolve(Buffer.concat(chunks)) : reject(error)));
  });
}

export function readAnswer(received: Buffer): RawAnswer {
  const [head = '', ...rest] = received.toString('utf8').split('\r\n\r\n');
  const [, code] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? [];
  if (code === undefined) throw new Error(`This is no answer: ${JSON.stringify(head.slice(0, 200))}`);
  const headers = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(/:\s*(.*)/s, 2))
    .map(([name = '', value = '']) => [name.toLowerCase(), value] as const);
  return { status: Number(code), headers: Object.fromEntries(headers), text: rest.join('\r\n\r\n') };
}
