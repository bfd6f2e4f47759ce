import type { WireRequest } from './wire.ts';

/** The codes with which an endpoint may answer that all is well. */
export const successCodes: Readonly<Record<string, readonly number[]>> = {
  'get catalog': [200, 304],
  'put instance': [200, 201, 202],
  'patch instance': [200, 202],
  'delete instance': [200, 202],
  'get instance': [200],
  'get instance operation': [200],
  'put binding': [200, 201, 202],
  'delete binding': [200, 202],
  'get binding': [200],
  'get binding operation': [200],
};

/** How the same request for what is there, or is being made, may be answered. */
export const repetitionCodes: readonly number[] = [200, 201, 202, 409];

const onThings =
  /^\/v2\/service_instances\/[^/]+(?<binding>\/service_bindings\/[^/]+)?(?<operation>\/last_operation)?$/;

/** Which endpoint a request is for, e.g. `put instance`; `other` for what the specification does not know. */
export function endpointOf({ method, path }: Pick<WireRequest, 'method' | 'path'>): string {
  const name = `${method.toLowerCase()} ${thingOf(path)}`;
  return name in successCodes ? name : 'other';
}

function thingOf(path: string): string {
  if (path === '/v2/catalog') return 'catalog';
  const { groups } = onThings.exec(path) ?? {};
  if (!groups) return 'nothing';
  return `${groups['binding'] ? 'binding' : 'instance'}${groups['operation'] ? ' operation' : ''}`;
}
