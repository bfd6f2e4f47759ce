/** What programs in containers wrote, as the engine gives it: frames of standard output and error, one after another. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they were written. */
  readonly both: string;
}

/** Each frame: 1 or 2 for the stream, three zeros, the length, and what was written. The last may be cut off. */
export function outputOf(bytes: Buffer): Output {
  const parts: { readonly stream: number; readonly text: Buffer }[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    parts.push({ stream: bytes.readUInt8(at), text: bytes.subarray(at + 8, end) });
    at = end;
  }
  const textOf = (wanted: readonly number[]) =>
    Buffer.concat(parts.filter(({ stream }) => wanted.includes(stream)).map(({ text }) => text)).toString();
  return { stdout: textOf([1]), stderr: textOf([2]), both: textOf([1, 2]) };
}
