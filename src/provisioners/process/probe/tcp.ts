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
  /** Is it spoken in TLS? Who only wants to be let in does not say a word. */
  readonly tls?: boolean;
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
export function exchange(
  address: Address,
  { send, expect, tls = false }: Exchange,
  limit: number,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isSecure = tls && expect !== undefined;
    const socket = isSecure ? connectInTls({ ...address }) : connect({ ...address, signal });
    // TLS takes no signal.
    const hangUp = () => socket.destroy(new Error('It was given up'));
    if (isSecure) signal.addEventListener('abort', hangUp, { once: true });
    if (isSecure && signal.aborted) hangUp();
    let said = '';
    let isConnected = false;
    let pause: NodeJS.Timeout | undefined;
    const end = (answer: Answer) => {
      clearTimeout(deadline);
      clearTimeout(pause);
      signal.removeEventListener('abort', hangUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = () => end(said === '' ? silent(isConnected, limit) : wrong(said));
    const tooLate = () => end(said === '' ? silent(isConnected, limit) : wrong(wholeLines(said)));
    const deadline = setTimeout(tooLate, limit);
    socket.setEncoding('latin1');
    socket.on(isSecure ? 'secureConnect' : 'connect', () => {
      isConnected = true;
      if (expect === undefined) return end({ is: 'ready' });
      if (send !== undefined) write(socket, send);
    });
    socket.on('data', (chunk: string) => {
      said = (said + chunk).slice(0, longestAnswer);
      if (expect !== undefined && said.includes(bytesOf(expect)))
        return end({ is: 'ready', said: textOf(said) });
      clearTimeout(pause);
      pause = setTimeout(giveUp, pauseOfAnswer);
    });
    socket.on('end', () =>
      end(said === '' ? { is: 'silent', reason: 'it hangs up without an answer' } : wrong(said)),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isShortage(error)) reject(error);
      end(said === '' ? { is: 'silent', reason: refusal(error) } : wrong(said));
    });
  });
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
