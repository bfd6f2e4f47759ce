import { randomUUID } from 'node:crypto';
import { idsOf, pathOf, type InstancePlatform } from '../support/instance-platform.ts';
import type { Asked } from '../support/whole-broker.ts';

/** Done within the request, however little patience there is. */
export const quick = idsOf('echo/large');
export const sized = idsOf('trial-timing/quick');
export const brief = idsOf('moments/brief');
export const endless = idsOf('moments/endless');

/** The requests of a platform, about an instance and a binding of its choice. */
export function platformCalls({ ask, ended }: InstancePlatform) {
  const put = (id: string, asked: Asked) => ask('put', pathOf(id), asked);
  return {
    put,
    patch: (id: string, asked: Asked) => ask('patch', pathOf(id), asked),
    remove: (id: string, asked: Asked) => ask('delete', pathOf(id), asked),
    poll: (id: string, asked: Asked) => ask('get', `${pathOf(id)}/last_operation`, asked),
    bind: (id: string, binding: string, asked: Asked) => ask('put', pathOf(id, binding), asked),
    unbind: (id: string, binding: string, asked: Asked) => ask('delete', pathOf(id, binding), asked),
    /** A new id, provisioned as this platform does it. */
    provisioned: async (asked: Asked): Promise<string> => {
      const id = randomUUID();
      const { status, body } = await put(id, asked);
      expect({ status, body }).toMatchObject({ status: expect.any(Number), body: {} });
      expect([201, 202]).toContain(status);
      if (status === 202) expect((await ended(id)).body.state).toBe('succeeded');
      return id;
    },
  };
}
