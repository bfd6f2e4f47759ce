import type { scripted } from './scripted-broker.ts';
import { bindingPath, instancePath } from './scripted-broker.ts';

/** The requests with a body, about one instance and one binding of it. */
export function senders({ platform }: Pick<ReturnType<typeof scripted>, 'platform'>) {
  const sendTo =
    (method: 'put' | 'patch', path: string) =>
    (body?: string | object, query: string | object = {}) =>
      platform[method](path).query(query).type('json').send(body);
  return {
    put: sendTo('put', instancePath),
    patch: sendTo('patch', instancePath),
    bind: sendTo('put', bindingPath),
  };
}
