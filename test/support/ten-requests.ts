import type { Response } from 'supertest';
import { bindingPath, instancePath, type Method } from './trial-platform.ts';
import { idsOf, provisionBody } from './instance-platform.ts';
import type { Asked } from './whole-broker.ts';

/** A request to one of the ten endpoints, and the answer of a broker that has done all the requests before it. */
export interface EndpointRequest {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly asked: Asked;
  readonly status: number;
}

/** All ten endpoints, in the order of the life of one instance with one binding. */
export function tenRequests(id: string, plan = 'trial-timing/quick'): readonly EndpointRequest[] {
  const path = instancePath(id);
  const binding = bindingPath({ path }, `${id}-b`);
  const { service_id, plan_id } = idsOf(plan);
  const query = { service_id, plan_id };
  return [
    { name: 'catalog', method: 'get', path: '/v2/catalog', asked: {}, status: 200 },
    { name: 'provision', method: 'put', path, asked: { body: provisionBody(plan) }, status: 201 },
    { name: 'fetch instance', method: 'get', path, asked: {}, status: 200 },
    { name: 'poll instance', method: 'get', path: `${path}/last_operation`, asked: {}, status: 200 },
    { name: 'update', method: 'patch', path, asked: { body: { service_id } }, status: 200 },
    { name: 'bind', method: 'put', path: binding, asked: { body: query }, status: 201 },
    { name: 'fetch binding', method: 'get', path: binding, asked: {}, status: 200 },
    { name: 'poll binding', method: 'get', path: `${binding}/last_operation`, asked: {}, status: 200 },
    { name: 'unbind', method: 'delete', path: binding, asked: { query }, status: 200 },
    { name: 'deprovision', method: 'delete', path, asked: { query }, status: 200 },
  ];
}

/** Sends them one after the other, each with what is `added`, and wants the answers that they have without it. */
export async function livesAsUsual(
  ask: (method: Method, path: string, asked?: Asked) => Promise<Response>,
  requests: readonly EndpointRequest[],
  added: Asked,
): Promise<readonly Response[]> {
  const answers: Response[] = [];
  for (const { method, path, asked } of requests)
    answers.push(await ask(method, path, { ...asked, ...added }));
  const told = requests.map(({ name }, at) => [name, answers[at]?.status]);
  expect(told).toEqual(requests.map(({ name, status }) => [name, status]));
  return answers;
}
