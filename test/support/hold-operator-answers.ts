/**
 * Every answer of the operator API that a test causes is held to its OpenAPI document, whoever has asked: the test,
 * a command, or another broker. What does not fit fails the test.
 */
import { OutgoingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach } from '@jest/globals';
import type { Answered } from './openapi.ts';

const answers: Answered[] = [];
const end = Object.getOwnPropertyDescriptor(OutgoingMessage.prototype, 'end')?.value as (
  ...given: readonly unknown[]
) => ServerResponse;

Object.assign(ServerResponse.prototype, {
  end(this: ServerResponse, ...given: readonly unknown[]) {
    const [content] = given;
    const { method = '', url = '' } = this.req;
    // Pages are no answers of it, and servers of tests that stand in for a broker answer texts.
    if (/^\/operator\/(?!pages\/)/.test(url) && content instanceof Uint8Array && method !== 'HEAD') {
      const body: unknown = JSON.parse(Buffer.from(content).toString());
      answers.push({ method, path: url.split('?', 1)[0] ?? '', status: this.statusCode, body });
    }
    return end.call(this, ...given);
  },
});

afterEach(async () => {
  if (answers.length === 0) return;
  const { requireDescribed } = await import('./described-answers.ts');
  for (const answer of answers.splice(0)) requireDescribed(answer);
});

afterAll(() => {
  Reflect.deleteProperty(ServerResponse.prototype, 'end');
});
