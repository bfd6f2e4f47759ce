import { isObject } from '../../broker/json.ts';
import type { Json } from '../../broker/json.ts';
import { BadCall } from '../../protocols/protocol.ts';

/** Bytes of JSON that one message may have. */
export const messageLimit = 65_536;
const excerptLength = 1000;

/** The `message` of a POST's body, which may be any JSON; refused when it is missing or too large. */
export function readMessage(body: unknown): Json {
  if (!isObject(body)) throw new BadCall(400, 'The body must be a JSON object with a message.');
  const message = Object.hasOwn(body, 'message') ? body['message'] : undefined;
  if (message === undefined) throw new BadCall(400, 'The body must have a message.');
  if (Buffer.byteLength(JSON.stringify(message)) > messageLimit) {
    throw new BadCall(413, `The message must not have more than ${messageLimit} bytes.`);
  }
  return message;
}

/** What is kept of a message: its JSON text, cut at a limit and never inside of a character. */
export function excerpt(message: Json): string {
  const text = JSON.stringify(message);
  if (text.length <= excerptLength) return text;
  return `${text.slice(0, excerptLength).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
