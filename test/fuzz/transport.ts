import { connect } from 'node:net';
import { rawRequest, readAnswer, type RawAnswer } from '../support/raw-http.ts';
import type { FuzzRequest } from './requests.ts';
import { longestMs } from './rules.ts';

/** No answer: the server has closed the connection without a word, or says nothing at all. */
export const closed: RawAnswer = { status: 0, headers: {}, text: '' };
export const silent: RawAnswer = { status: -1, headers: {}, text: '' };

/** @param address from which the request comes, as a proxy tells it */
export async function answerTo(url: string, request: FuzzRequest, address: string): Promise<RawAnswer> {
  const { method, parts, query, headers, body } = request;
  const asked = query.map(([name, value]) => `${name}=${value}`).join('&');
  const lines = new Map<string, string[]>([['x-forwarded-for', [address]]]);
  for (const [name, value] of headers) lines.set(name, [...(lines.get(name) ?? []), value]);
  const head = {
    method,
    target: `/${parts.join('/')}${asked === '' ? '' : `?${asked}`}`,
    headers: Object.fromEntries(lines),
  };
  const bytes = lines.has('transfer-encoding')
    ? Buffer.concat([rawRequest(head), inChunks(body ?? '')])
    : rawRequest({ ...head, ...(body === undefined ? {} : { body }) });
  const received = await exchange(url, bytes, request);
  if (received === undefined) return silent;
  if (received.length === 0) return closed;
  const answer = readAnswer(received);
  // Where a body was sent that is not one of this request, it is answered as one of its own.
  const { 'content-length': length = '0' } = answer.headers;
  return { ...answer, text: Buffer.from(answer.text).subarray(0, Number(length)).toString() };
}

function inChunks(body: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(body);
  const chunk = bytes.length === 0 ? [] : [`${bytes.length.toString(16)}\r\n`, bytes, '\r\n'];
  return Buffer.concat([...chunk, '0\r\n\r\n'].map((part) => Buffer.from(part)));
}

/** All that comes back until the answer is complete, or the server hangs up. */
function exchange(url: string, bytes: Uint8Array, request: FuzzRequest): Promise<Buffer | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    socket.setTimeout(longestMs + 5000, () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (isComplete(received, request)) socket.destroy();
    });
    socket.on('close', () => resolve(received));
    // A server that refuses a large body may close before all of it is sent; its answer counts.
    socket.on('error', () => socket.destroy());
  });
}

/** With some headers a server keeps the connection. */
function isComplete(received: Buffer, { method }: FuzzRequest): boolean {
  const [head = '', ...body] = received.toString('latin1').split('\r\n\r\n');
  if (body.length === 0) return false;
  if (method === 'HEAD' || /^HTTP\/1.1 (204|304) /.test(head)) return true;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  return length !== undefined && body.join('\r\n\r\n').length >= Number(length);
}
