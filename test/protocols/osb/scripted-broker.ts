import supertest from 'supertest';
import type { Broker } from '../../../src/broker/broker.ts';
import { createServer } from '../../../src/http/server.ts';
import { osb, type OsbSettings } from '../../../src/protocols/osb/index.ts';
import { anInstance, aBinding, anOperation } from '../../broker/fixtures.ts';

/** What platforms ask of a broker. */
type Platforms = Omit<
  Broker,
  | 'dashboard'
  | 'start'
  | 'stop'
  | 'restart'
  | 'status'
  | 'exec'
  | 'log'
  | 'overview'
  | 'recreate'
  | 'upgrade'
  | 'removeBinding'
  | 'removeInstance'
  | 'bindings'
  | 'missing'
  | 'operation'
  | 'cancelOperation'
  | 'retryOperation'
  | 'purgeInstance'
  | 'purgeBinding'
  | 'forceDelete'
  | 'protectInstance'
  | 'undeleteInstance'
  | 'backUp'
  | 'listBackups'
  | 'restoreBackup'
  | 'deleteBackup'
  | 'act'
  | 'adopt'
  | 'owned'
  | 'dashboardLink'
>;

type Asked = readonly [what: keyof Platforms, of: unknown];

/** A broker that answers what a test says, and remembers what it was asked. Unless told otherwise all is done. */
export function scripted(script: Partial<Platforms> = {}, settings: Partial<OsbSettings> = {}) {
  const asked: Asked[] = [];
  const usual: Platforms = {
    catalog: () => ({ offerings: [], loadedAt: new Date('2026-01-01T00:00:00.500Z') }),
    provision: () => Promise.resolve({ is: 'done', record: anInstance() }),
    update: () => Promise.resolve({ is: 'done', record: anInstance() }),
    deprovision: () => Promise.resolve({ is: 'done', record: anInstance() }),
    bind: () => Promise.resolve({ is: 'done', record: aBinding() }),
    unbind: () => Promise.resolve({ is: 'done', record: aBinding() }),
    instance: () => Promise.resolve(anInstance()),
    binding: () => Promise.resolve(aBinding()),
    lastOperation: () => Promise.resolve({ operation: anOperation('provision') }),
  };
  const played = Object.entries({ ...usual, ...script }).map(([what, answer]) => [
    what,
    (...of: readonly unknown[]) => {
      asked.push([what as keyof Platforms, of.length > 1 ? of : of[0]]);
      return (answer as (...of: readonly unknown[]) => unknown)(...of);
    },
  ]);
  const protocol = osb(Object.fromEntries(played) as unknown as Broker, {
    acceptMissingVersion: false,
    ...settings,
  });
  const logins = [{ username: 'platform', password: 'secret' }];
  const { app } = createServer({ protocols: [protocol], logins, observe: () => undefined });
  const platform = supertest.agent(app).auth('platform', 'secret').set('X-Broker-API-Version', '2.17');
  return { platform, asked };
}

export const instancePath = '/v2/service_instances/i1';
export const bindingPath = `${instancePath}/service_bindings/b1`;

export const provisionBody = {
  service_id: 'cache',
  plan_id: 'small',
  organization_guid: 'org',
  space_guid: 'space',
};
export const updateBody = { service_id: 'cache' };
export const bindBody = { service_id: 'cache', plan_id: 'small' };
export const hints = { service_id: 'cache', plan_id: 'small' };
