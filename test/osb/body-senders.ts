import { randomUUID } from 'node:crypto';
import { idsOf, provisionBody } from '../support/instance-platform.ts';
import { requireLawful } from '../support/lawful-answer.ts';
import { rawRequest, sendRaw, type RawAnswer, type RawRequest } from '../support/raw-http.ts';
import { bindingPath, instancePath, type TrialPlatform } from '../support/trial-platform.ts';

/** The plan of the instances that the requests are about. */
export const plan = 'trial-timing/quick';
export const ids = { ...idsOf(plan) };

/** Requests with bodies of any kind to this platform, and what must become of all of them. */
export function bodySenders({ broker, instance, traces }: TrialPlatform) {
  /** As it came over the wire, checked for what every answer must have. */
  async function send(request: RawRequest): Promise<RawAnswer> {
    const answer = await sendRaw(broker().url, rawRequest(request));
    requireLawful(
      { method: (request.method ?? 'get').toLowerCase(), path: request.target, query: {} },
      answer,
    );
    return answer;
  }

  /** The three requests that have a body, about an instance that is there. */
  async function writers(): Promise<readonly { readonly method: string; readonly target: string }[]> {
    const { path } = await instance(plan);
    return [
      { method: 'PUT', target: instancePath(randomUUID()) },
      { method: 'PATCH', target: path },
      { method: 'PUT', target: bindingPath({ path }, randomUUID()) },
    ];
  }

  /** All three answer with this code, and nothing has changed. */
  async function allRefuse(status: number, sent: Omit<RawRequest, 'target' | 'method'>): Promise<void> {
    const requests = await writers();
    const before = await traces();
    for (const request of requests) {
      const answer = await send({ ...request, ...sent });
      expect({ request, status: answer.status, text: answer.text }).toMatchObject({ request, status });
    }
    expect(await traces()).toEqual(before);
  }

  /** A body that is right for this request. */
  function goodBody(method: string, target: string): Record<string, unknown> {
    if (method === 'PATCH') return { service_id: ids.service_id };
    return target.includes('/service_bindings/') ? ids : { ...provisionBody(plan) };
  }

  async function allTake(sent: (json: string) => Omit<RawRequest, 'target' | 'method'>): Promise<void> {
    for (const { method, target } of await writers()) {
      const answer = await send({ method, target, ...sent(JSON.stringify(goodBody(method, target))) });
      expect({ target, status: answer.status }).toEqual({ target, status: method === 'PATCH' ? 200 : 201 });
    }
  }

  return { send, writers, allRefuse, goodBody, allTake };
}
