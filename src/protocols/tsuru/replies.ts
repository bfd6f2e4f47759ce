import type { Reply } from '../protocol.ts';

/** A sentence as people read it in a terminal. */
export function textReply(status: number, text: string): Reply {
  return { status, body: { bytes: Buffer.from(`${text}\n`), type: 'text/plain; charset=utf-8' } };
}

export function emptyReply(status: number): Reply {
  return status === 204 ? { status } : { status, headers: { 'Content-Length': '0' } };
}
