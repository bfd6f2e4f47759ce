/** Output that cannot be written, as on a full disk, is not output that nobody reads: only the latter is an end. */
import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { codeOf } from './error-code.ts';

/** Has whoever read it gone, the reader of a pipe or a terminal? */
export function isClosedOutput(error: unknown, { isTTY }: { readonly isTTY?: boolean }): boolean {
  const code = codeOf(error);
  return code === 'EPIPE' || code === 'ECONNRESET' || (code === 'EIO' && isTTY === true);
}

/** The number of what a stream writes to. Undefined for terminals, and for what is no stream of the system. */
export function descriptorBehind(stream: NodeJS.WritableStream): number | undefined {
  const fd: unknown = Reflect.get(stream, 'fd');
  return typeof fd === 'number' && Reflect.get(stream, 'isTTY') !== true ? fd : undefined;
}

/** As `descriptorBehind`, of an ordinary file or a device such as `/dev/full`; undefined for pipes and sockets too. */
export function fileBehind(stream: NodeJS.WritableStream): number | undefined {
  const fd = descriptorBehind(stream);
  if (fd === undefined) return undefined;
  const found = fstatSync(fd);
  return found.isFile() || found.isCharacterDevice() ? fd : undefined;
}

/** How far it got with a text. */
export interface Written {
  /** Bytes. */
  readonly bytes: number;
  /** Why that was not all; absent: it was. */
  readonly error?: unknown;
}

/** Writes a text to a file, all of it if it can. A stream of Node's would take part of it for all, on a full disk. */
export function writeThrough(fd: number, text: string | Buffer): Written {
  const content = Buffer.from(text);
  let bytes = 0;
  try {
    while (bytes < content.length) bytes += writeSync(fd, content, bytes);
  } catch (error) {
    return { bytes, error };
  }
  return { bytes };
}

/**
 * By which lines go to a stream of the system, one or several at once. Those that cannot be written are counted, and
 * told as soon as there is room again; nothing of that is an error of the stream, but that its reader has gone. A
 * terminal, and what is no stream of the system, is left as it is.
 * @param tell gives the line that says how many were lost, with its end
 */
export function lineOutput(
  stream: NodeJS.WritableStream,
  tell: (lost: number) => string,
): NodeJS.WritableStream {
  const fd = descriptorBehind(stream);
  if (fd === undefined) return stream;
  const onClosed = (error: unknown) => void stream.emit('error', error);
  const output = patientOutput(fd, onClosed);
  let lost = 0;
  let isTorn = false;
  /** How many of its lines were not written, or not wholly. */
  function put(lines: string): number {
    const content = Buffer.from(lines);
    const { bytes, error } = output.write(content);
    if (error === undefined) return 0;
    if (isClosedOutput(error, {})) onClosed(error);
    if (bytes > 0) isTorn = content[bytes - 1] !== newline;
    return content.subarray(bytes).filter((byte) => byte === newline).length;
  }
  function write(lines: string): void {
    // What was begun and not ended is a line by itself.
    const isClear = lost === 0 || put(`${isTorn ? '\n' : ''}${tell(lost)}`) === 0;
    if (isClear) [lost, isTorn] = [0, false];
    lost += isClear ? put(lines) : lines.split('\n').length - 1;
  }
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(chunk.toString());
      done();
    },
  });
}

const newline = 10;

/** Bytes that wait for the reader of a pipe; of what comes beyond them nothing is taken. */
const mostWaiting = 8 * 1024 * 1024;
/** Milliseconds between two tries to write what waits. */
const retryMs = 20;
/** Milliseconds for which a process that ends waits for a reader that reads nothing. */
const endMs = 5000;

/**
 * What the reader of a pipe has no room for waits in memory, and the end of the process waits for the reader. A stream
 * of Node's loses it then.
 */
function patientOutput(fd: number, onClosed: (error: unknown) => void): { write(content: Buffer): Written } {
  let waiting = Buffer.alloc(0);
  let timer: NodeJS.Timeout | undefined;
  let isEnding = false;
  function drain(): void {
    const { bytes, error } = writeThrough(fd, waiting);
    waiting = isFull(error) ? waiting.subarray(bytes) : Buffer.alloc(0);
    if (error !== undefined && !isFull(error)) onClosed(error);
  }
  function drainSoon(): void {
    timer = undefined;
    drain();
    if (waiting.length > 0) timer = setTimeout(drainSoon, retryMs).unref();
  }
  function drainNow(): void {
    let [before, at] = [0, performance.now()];
    while (waiting.length > 0 && performance.now() - at < endMs) {
      if (waiting.length !== before) [before, at] = [waiting.length, performance.now()];
      drain();
      if (waiting.length > 0) Atomics.wait(nothingHappens, 0, 0, retryMs);
    }
  }
  process.on('exit', () => {
    isEnding = true;
    drainNow();
  });
  return {
    write(content) {
      if (waiting.length + content.length > mostWaiting)
        return { bytes: 0, error: new Error('Nobody reads.') };
      const written = waiting.length > 0 ? { bytes: 0 } : writeThrough(fd, content);
      if (waiting.length === 0 && !isFull(written.error)) return written;
      waiting = Buffer.concat([waiting, content.subarray(written.bytes)]);
      if (isEnding) drainNow();
      else timer ??= setTimeout(drainSoon, retryMs).unref();
      return { bytes: content.length };
    },
  };
}

const nothingHappens = new Int32Array(new SharedArrayBuffer(4));

/** Has whoever reads it not yet read enough? */
function isFull(error: unknown): boolean {
  return error !== undefined && codeOf(error) === 'EAGAIN';
}
