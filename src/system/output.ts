/** Output that cannot be written, as on a full disk, is not output that nobody reads: only the latter is an end. */
import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { codeOf } from './error-code.ts';

/** Has whoever read it gone, the reader of a pipe or a terminal? */
export function isClosedOutput(error: unknown, { isTTY }: { readonly isTTY?: boolean }): boolean {
  const code = codeOf(error);
  return code === 'EPIPE' || code === 'ECONNRESET' || (code === 'EIO' && isTTY === true);
}

/**
 * The number of the file that a stream writes to: an ordinary one or a device such as `/dev/full`. Undefined for pipes,
 * sockets, terminals, and what is no stream of the system.
 */
export function fileBehind(stream: NodeJS.WritableStream): number | undefined {
  const fd: unknown = Reflect.get(stream, 'fd');
  if (typeof fd !== 'number' || Reflect.get(stream, 'isTTY') === true) return undefined;
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
export function writeThrough(fd: number, text: string): Written {
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
 * Lines to a file, one or several at once. Those that cannot be written are counted, and told as soon as there is room
 * again; nothing of that is an error of the stream.
 * @param tell gives the line that says how many were lost, with its end
 */
export function lineOutput(fd: number, tell: (lost: number) => string): Writable {
  let lost = 0;
  let isTorn = false;
  /** How many of its lines were not written, or not wholly. */
  function put(lines: string): number {
    const { bytes, error } = writeThrough(fd, lines);
    if (error === undefined) return 0;
    const content = Buffer.from(lines);
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
