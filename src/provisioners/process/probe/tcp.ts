import { connect, type Socket } from 'node:net';
import { connect as connectInTls } from 'node:tls';
import { isShortage } from '../../../system/error-code.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The authorities that it is verified by, as PEM, where it is spoken to in TLS. */
  readonly ca?: string;
}

/** What to say to a port, and what its answer must hold; without `expect` it is enough to be let in. */
export interface Exchange {
  readonly send?: string;
  readonly expect?: string;
  /** Is it spoken in TLS, or from when on? Who only wants to be let in does not say a word. */
  readonly tls?: boolean | InTheClear;
}

/** What is said in the clear before the same connection goes over to TLS. */
export interface InTheClear {
  readonly send?: string;
  /** How the last that is heard in the clear ends. */
  readonly expect: string;
}

/** How a question was answered. `said` may hold secrets. */
export interface Answer {
  readonly is: 'ready' | 'wrong' | 'silent';
  /** Why it is not ready, as a clause. */
  readonly reason?: string;
  /** What came back, all of it that was looked at. */
  readonly said?: string;
}

/**
 * Milliseconds without a further byte after which an answer is taken as whole. On a machine with much to do the rest of
 * a good one may be late, and there are offerings that want to be restarted for a wrong one.
 */
const pauseOfAnswer = 1000;
/** Characters of an answer that are looked at. */
const longestAnswer = 64_000;

/**
 * Connects, speaks and listens until the answer holds what is expected, the other side ends, or time is up.
 * @param limit milliseconds for all of it
 * @param signal hangs up when it is given up; then the answer is silence
 * @throws the system's error when this machine has no room to ask: that says nothing of the other side
 */
export async function exchange(
  address: Address,
  { send, expect, tls = false }: Exchange,
  limit: number,
  signal: AbortSignal,
): Promise<Answer> {
  const end = performance.now() + limit;
  const isSecure = tls === true && expect !== undefined;
  const socket = isSecure ? connectInTls({ ...address }) : connect({ ...address });
  // TLS takes no signal.
  const hangUp = () => socket.destroy(new Error('It was given up'));
  signal.addEventListener('abort', hangUp, { once: true });
  if (signal.aborted) hangUp();
  const isAnswer = expect === undefined ? undefined : holding(expect);
  try {
    if (typeof tls !== 'object' || !isAnswer)
      return await converse(socket, isSecure ? 'secureConnect' : 'connect', { send, isAnswer }, limit);
    const heard = await converse(
      socket,
      'connect',
      { send: tls.send, isAnswer: endingWith(tls.expect) },
      limit,
    );
    if (heard.is !== 'ready') return heard;
    // What was heard in the clear, where anybody may have said it, is no part of the answer.
    const left = Math.max(1, end - performance.now());
    return await converse(connectInTls({ ...address, socket }), 'secureConnect', { send, isAnswer }, left);
  } finally {
    signal.removeEventListener('abort', hangUp);
    socket.destroy();
  }
}

interface Talk {
  readonly send?: string;
  /** Is what was heard, as bytes, the answer? Without it nothing is said or waited for. */
  readonly isAnswer?: (said: string) => boolean;
}

/** The socket stays open and belongs to who called. */
function converse(
  socket: Socket,
  connected: 'connect' | 'secureConnect',
  { send, isAnswer }: Talk,
  limit: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let said = '';
    let isConnected = false;
    let pause: NodeJS.Timeout | undefined;
    const end = (answer: Answer) => {
      clearTimeout(deadline);
      clearTimeout(pause);
      socket.off('data', hear);
      resolve(answer);
    };
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(0, longestAnswer);
      if (isAnswer?.(said)) return end({ is: 'ready', said: textOf(said) });
      clearTimeout(pause);
      pause = setTimeout(() => end(wrong(said)), pauseOfAnswer);
    };
    const tooLate = () => end(said === '' ? silent(isConnected, limit) : wrong(wholeLines(said)));
    const deadline = setTimeout(tooLate, limit);
    const hungUp = () =>
      end(said === '' ? { is: 'silent', reason: 'it hangs up without an answer' } : wrong(said));
    socket.on(connected, () => {
      isConnected = true;
      if (!isAnswer) return end({ is: 'ready' });
      if (send !== undefined) write(socket, send);
    });
    socket.on('data', hear);
    socket.on('end', hungUp);
    socket.on('close', hungUp);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isShortage(error)) reject(error);
      end(said === '' ? { is: 'silent', reason: refusal(error) } : wrong(said));
    });
  });
}

function holding(expected: string): (said: string) => boolean {
  const bytes = bytesOf(expected);
  return (said) => said.includes(bytes);
}

function endingWith(expected: string): (said: string) => boolean {
  const bytes = bytesOf(expected);
  return (said) => said.endsWith(bytes);
}

/** Texts are compared as bytes: what comes may be cut within a character, or not be UTF-8 at all. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Without what may be cut within a word: of a secret only the whole is recognised. */
export function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function write(socket: Socket, text: string): void {
  socket.write(Buffer.from(text, 'utf8'));
}

function wrong(said: string): Answer {
  const whole = said.length < longestAnswer ? said : wholeLines(said);
  return { is: 'wrong', reason: 'its answer is not the expected one', said: textOf(whole) };
}

function silent(isConnected: boolean, limit: number): Answer {
  const what = isConnected ? 'it does not answer' : 'it cannot be reached';
  return { is: 'silent', reason: `${what} within ${limit / 1000} s` };
}

export function refusal({ code }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return 'nobody listens at its port';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'it hangs up without an answer';
  return `it cannot be reached (${code ?? 'for an unknown reason'})`;
}
