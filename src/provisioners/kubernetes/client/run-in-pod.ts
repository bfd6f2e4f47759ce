import type { IncomingMessage } from 'node:http';
import type WebSocket from 'ws';
import { isObject, type JsonObject } from '../../../broker/json.ts';
import { codeOf } from '../../../system/error-code.ts';
import { ClusterError } from '../cluster-error.ts';
import type { Cluster, ExecResult } from '../cluster.ts';
import { urlAt, type Connection, noAnswer } from './connection.ts';
import type { Entry } from './login.ts';
import { jsonIn, refusalOf } from './refusal.ts';

type Command = Parameters<Cluster['exec']>[1];

/** With the newer one the standard input can end. A server that knows only the older one chooses that. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** The first byte of each message says what it belongs to (KEP-4006). */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;

const longestOutput = 65_536;
const pingEveryMs = 20_000;
const handshakeLimitMs = 60_000;

/**
 * Runs a command in a container. The command stands in the address and so in the server's audit log; what is secret
 * belongs into what is sent.
 * @throws ClusterError, or Error when the connection ends before the command has
 */
export async function runInPod(
  connection: Connection,
  path: string,
  container: string | undefined,
  command: Command,
  signal: AbortSignal,
): Promise<ExecResult> {
  signal.throwIfAborted();
  const open = async (entry: Entry): Promise<WebSocket> =>
    opened(connection, entry, execAddress(entry, path, container, command), signal);
  const entry = await connection.login.current();
  const socket = await open(entry).catch(async (error: unknown) => {
    if (!(error instanceof ClusterError) || error.status !== 401) throw error;
    return open(await connection.login.renewed(entry));
  });
  return talk(connection.name, socket, command.send, signal);
}

function execAddress(entry: Entry, path: string, container: string | undefined, { run, send }: Command): URL {
  const url = urlAt(entry, path, {
    container,
    stdin: send === undefined ? undefined : 'true',
    stdout: 'true',
    stderr: 'true',
  });
  for (const word of run) url.searchParams.append('command', word);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

async function opened(
  { name }: Connection,
  { headers, tls, secrets }: Entry,
  url: URL,
  signal: AbortSignal,
): Promise<WebSocket> {
  const { default: Socket } = await import('ws');
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  const socket = new Socket(url, protocols, {
    headers: { ...headers } as Record<string, string>,
    ...tls,
    handshakeTimeout: handshakeLimitMs,
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
  });
  // It is paused until somebody listens: the first message may come with the handshake.
  socket.on('open', () => {
    socket.pause();
    resolve(socket);
  });
  socket.on('unexpected-response', (request, response) => {
    refused(response, secrets).then(reject, reject);
    response.on('close', () => request.destroy());
  });
  socket.on('error', (error) => reject(noAnswer(name, codeOf(error))));
  const giveUp = (): void => {
    reject(signal.reason as Error);
    socket.terminate();
  };
  signal.addEventListener('abort', giveUp);
  return promise.finally(() => signal.removeEventListener('abort', giveUp));
}

async function refused(response: IncomingMessage, secrets: readonly string[]): Promise<ClusterError> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const [status, text] = [response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')];
  return refusalOf({ status, text, retryAfter: response.headers['retry-after'], secrets }, secrets);
}

/** Sends what there is to send, and collects what comes until the server says how the command ended. */
async function talk(
  name: string,
  socket: WebSocket,
  send: string | undefined,
  signal: AbortSignal,
): Promise<ExecResult> {
  const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
  const output = { [channel.stdout]: createOutput(), [channel.stderr]: createOutput() };
  socket.on('message', (data: Buffer) => {
    const [to, rest] = [data[0], data.subarray(1)];
    if (to === channel.stdout || to === channel.stderr) output[to].add(rest);
    if (to === channel.error) resolve(endIn(rest));
  });
  socket.on('error', (error) => reject(noAnswer(name, codeOf(error))));
  socket.on('close', () => reject(noAnswer(name, 'the connection of a command has ended before it')));
  const giveUp = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', giveUp);
  const ping = setInterval(() => socket.ping(), pingEveryMs);
  try {
    socket.resume();
    if (send !== undefined) {
      socket.send(Buffer.concat([Buffer.from([channel.stdin]), Buffer.from(send, 'utf8')]));
      if (socket.protocol === protocols[0]) socket.send(Buffer.from([channel.close, channel.stdin]));
    }
    const exitCode = exitCodeOf(await promise);
    return { exitCode, stdout: output[channel.stdout].text(), stderr: output[channel.stderr].text() };
  } finally {
    clearInterval(ping);
    signal.removeEventListener('abort', giveUp);
    socket.terminate();
  }
}

function createOutput() {
  let kept: Buffer = Buffer.alloc(0);
  return {
    add(bytes: Buffer): void {
      if (kept.length < longestOutput)
        kept = Buffer.concat([kept, bytes.subarray(0, longestOutput - kept.length)]);
    },
    text: () => kept.toString('utf8'),
  };
}

function endIn(bytes: Buffer): JsonObject {
  const value = jsonIn(bytes.toString('utf8'));
  return isObject(value) ? value : {};
}

/** @throws ClusterError when the command did not come to run */
function exitCodeOf(end: JsonObject): number {
  if (end['status'] === 'Success') return 0;
  const { causes } = isObject(end['details']) ? end['details'] : {};
  const found = Array.isArray(causes) ? causes.filter(isObject) : [];
  const code = Number(found.find(({ reason }) => reason === 'ExitCode')?.['message']);
  if (Number.isInteger(code)) return code;
  throw refusalOf(
    { status: Number(end['code'] ?? 500), text: JSON.stringify(end), retryAfter: undefined, secrets: [] },
    [],
  );
}
