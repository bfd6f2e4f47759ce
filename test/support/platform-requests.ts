/** The requests of real platforms, member for member as their clients send them. */
import { randomUUID } from 'node:crypto';
import type { Ids } from './instance-platform.ts';
import type { Asked } from './whole-broker.ts';

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64');
const json = { 'content-type': 'application/json' };

/** Alphabetical, as Cloud Controller and Korifi have it. */
const removalQuery = ({ service_id, plan_id }: Ids) => ({ accepts_incomplete: 'true', plan_id, service_id });

function pollQuery({ service_id, plan_id }: Ids, operation?: string): Record<string, string> {
  return { ...(operation === undefined ? {} : { operation }), plan_id, service_id };
}

/** Cloud Foundry, cloud_controller_ng. */
export const cloudController = {
  headers: (): Record<string, string> => ({
    'x-broker-api-version': '2.15',
    'x-vcap-request-id': '',
    'x-broker-api-request-identity': randomUUID(),
    'x-api-info-location': 'https://api.cf.example.com/v2/info',
    accept: 'application/json',
    'x-broker-api-originating-identity': `cloudfoundry ${base64({ user_id: '683ea748-3092-4ff4-b656-39cacc4d5360' })}`,
    'x-b3-traceid': '4bf92f3577b34da6a3ce929d0e0e4736',
    'x-b3-spanid': '00f067aa0ba902b7',
    date: new Date().toUTCString(),
    'user-agent': 'HTTPClient/1.0 (2.8.3, ruby 3.2.2 (2023-03-30))',
  }),
  context: (instanceName: string) => ({
    platform: 'cloudfoundry',
    organization_guid: '7b8a7e0c-6a37-4c2f-9a51-8b2c7e7b3d10',
    organization_name: 'system',
    organization_annotations: { 'example.com/team': 'blue' },
    space_guid: '0d4c6f3e-1b7a-4f43-9c8c-3f4c2a9d1e20',
    space_name: 'dev',
    space_annotations: {},
    instance_name: instanceName,
    instance_annotations: {},
  }),
  catalog: (): Asked => ({ headers: cloudController.headers() }),
  provision: (ids: Ids, more: object = {}): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: cloudController.headers(),
    body: {
      ...ids,
      organization_guid: '7b8a7e0c-6a37-4c2f-9a51-8b2c7e7b3d10',
      space_guid: '0d4c6f3e-1b7a-4f43-9c8c-3f4c2a9d1e20',
      context: cloudController.context('my-service'),
      ...more,
    },
  }),
  /** Every update names the plan and has parameters, also when only the name of the instance has changed. */
  update: (ids: Ids, more: object = {}, name = 'my-service'): Asked => {
    const { instance_annotations: _left, ...context } = cloudController.context(name);
    const { organization_guid: organization_id, space_guid: space_id } = context;
    const previous_values = { ...ids, organization_id, space_id, maintenance_info: null };
    return {
      query: { accepts_incomplete: 'true' },
      headers: cloudController.headers(),
      body: { ...ids, previous_values, context, parameters: {}, ...more },
    };
  },
  remove: (ids: Ids): Asked => ({ query: removalQuery(ids), headers: cloudController.headers() }),
  poll: (ids: Ids, operation?: string): Asked => ({
    query: pollQuery(ids, operation),
    headers: cloudController.headers(),
  }),
  fetch: (): Asked => ({ headers: cloudController.headers() }),
  bindApp: (ids: Ids, app: string, more: object = {}): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: cloudController.headers(),
    body: {
      ...ids,
      app_guid: app,
      bind_resource: {
        app_guid: app,
        space_guid: '0d4c6f3e-1b7a-4f43-9c8c-3f4c2a9d1e20',
        app_annotations: {},
      },
      context: cloudController.context('my-service'),
      ...more,
    },
  }),
  bindKey: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: cloudController.headers(),
    body: { ...ids, bind_resource: { credential_client_id: 'cc_service_key_client' }, context: {} },
  }),
  /** The older of its two APIs makes keys only within the request. */
  bindOldKey: (ids: Ids): Asked => ({
    headers: cloudController.headers(),
    body: { ...ids, bind_resource: {}, context: {} },
  }),
  bindRoute: (ids: Ids, route: string): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: cloudController.headers(),
    body: { ...ids, bind_resource: { route }, context: {} },
  }),
  removeOldKey: ({ service_id, plan_id }: Ids): Asked => ({
    query: { plan_id, service_id },
    headers: cloudController.headers(),
  }),
};

/** Korifi: a content type on everything, null where there is nothing, no context, and all of it again and again. */
export const korifi = {
  headers: { 'x-broker-api-version': '2.17', ...json },
  provision: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: korifi.headers,
    body: { ...ids, space_guid: randomGuid.space, organization_guid: randomGuid.org, parameters: null },
  }),
  bindApp: (ids: Ids, app: string): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: korifi.headers,
    body: { ...ids, app_guid: app, bind_resource: { app_guid: app }, parameters: null },
  }),
  /** A key is a binding to an application without a name. */
  bindKey: (ids: Ids): Asked => korifi.bindApp(ids, ''),
  poll: (ids: Ids, operation?: string): Asked => ({
    query: pollQuery(ids, operation),
    headers: korifi.headers,
  }),
  remove: (ids: Ids): Asked => ({ query: removalQuery(ids), headers: korifi.headers }),
  fetch: (): Asked => ({ headers: korifi.headers }),
};

const randomGuid = { space: randomUUID(), org: randomUUID() };

/** Kubernetes Service Catalog: the cluster is the organization and the namespace the space. */
export const serviceCatalog = {
  headers: {
    'x-broker-api-version': '2.14',
    'x-broker-api-originating-identity': `kubernetes ${base64({
      username: 'system:serviceaccount:kube-system:x',
      uid: '',
      groups: ['system:authenticated'],
      extra: {},
    })}`,
  },
  context: {
    platform: 'kubernetes',
    namespace: 'default',
    clusterid: 'd5c1e5c0-cluster',
    instance_name: 'my-instance',
  },
  provision: (ids: Ids, more: object = {}): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: serviceCatalog.headers,
    body: {
      ...ids,
      organization_guid: 'd5c1e5c0-cluster',
      space_guid: '5a3f0c1e-namespace',
      context: serviceCatalog.context,
      ...more,
    },
  }),
  /** Only what has changed; for plans of one namespace the previous plan is forgotten. */
  update: ({ service_id }: Ids, change: object): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: serviceCatalog.headers,
    body: { service_id, ...change, context: serviceCatalog.context, previous_values: { service_id } },
  }),
  bind: (ids: Ids): Asked => ({
    headers: serviceCatalog.headers,
    body: { ...ids, bind_resource: { app_guid: '5a3f0c1e-namespace' }, context: serviceCatalog.context },
  }),
  remove: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true', ...ids },
    headers: serviceCatalog.headers,
  }),
  unbind: (ids: Ids): Asked => ({ query: { ...ids }, headers: serviceCatalog.headers }),
  poll: (ids: Ids, operation?: string): Asked => ({
    query: { ...ids, ...(operation === undefined ? {} : { operation }) },
    headers: { 'x-broker-api-version': '2.14' },
  }),
};

/** SAP's and Peripli's Service Manager: dashes for organization and space, and a signed context. */
export const serviceManager = {
  headers: (): Record<string, string> => ({
    'x-broker-api-version': '2.13',
    'x-broker-api-originating-identity': `service-manager ${base64({ username: 'admin' })}`,
    'x-broker-api-request-identity': randomUUID(),
    'x-correlation-id': randomUUID(),
  }),
  context: {
    platform: 'service-manager',
    instance_name: 'my-instance',
    service_instance_id: 'an-instance',
    subaccount_id: 'a-tenant',
    signature: 'c2lnbmVk',
  },
  provision: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: serviceManager.headers(),
    body: { ...ids, organization_guid: '-', space_guid: '-', context: serviceManager.context },
  }),
  update: (ids: Ids, more: object = {}): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: serviceManager.headers(),
    body: { ...ids, previous_values: { plan_id: ids.plan_id }, context: serviceManager.context, ...more },
  }),
  bind: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: serviceManager.headers(),
    body: { ...ids, context: serviceManager.context },
  }),
  remove: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true', ...ids },
    headers: serviceManager.headers(),
  }),
  fetchParameters: (ids: Ids): Asked => ({
    query: { ...ids },
    headers: { ...serviceManager.headers(), 'x-broker-api-version': '2.14' },
  }),
  poll: (ids: Ids, operation?: string): Asked => ({
    query: { ...ids, ...(operation === undefined ? {} : { operation }) },
    headers: serviceManager.headers(),
  }),
};

/** tsuru as a client of this API: a context without a platform, and polls without a name for what they poll. */
export const tsuru = {
  headers: {
    'x-broker-api-version': '2.13',
    'x-broker-api-originating-identity': `tsuru ${base64({ user: 'me@example.com' })}`,
  },
  provision: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: tsuru.headers,
    body: {
      ...ids,
      organization_guid: randomGuid.org,
      space_guid: randomGuid.org,
      context: {
        request_id: 'r1',
        event_id: 'e1',
        organization_guid: randomGuid.org,
        space_guid: randomGuid.org,
      },
    },
  }),
  update: (ids: Ids, more: object = {}): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: tsuru.headers,
    body: {
      ...ids,
      context: { request_id: 'r2', event_id: 'e2' },
      previous_values: { ...ids, organization_id: randomGuid.org, space_id: randomGuid.org },
      ...more,
    },
  }),
  bind: (ids: Ids, app: string): Asked => ({
    headers: tsuru.headers,
    body: { ...ids, bind_resource: { app_guid: app }, context: { request_id: 'r3', event_id: 'e3' } },
  }),
  unbind: (ids: Ids): Asked => ({ query: { ...ids }, headers: tsuru.headers }),
  remove: (ids: Ids): Asked => ({ query: { accepts_incomplete: 'true', ...ids }, headers: tsuru.headers }),
  poll: (ids: Ids): Asked => ({
    query: { ...ids, operation: '' },
    headers: {
      'x-broker-api-version': '2.13',
      'x-broker-api-originating-identity': `tsuru ${base64({ team: 'blue' })}`,
    },
  }),
};

/** The command line of the eden project: it binds within the request only, and has a content type on everything. */
export const eden = {
  headers: { 'x-broker-api-version': '2.13', ...json },
  provision: (ids: Ids): Asked => ({
    query: { accepts_incomplete: 'true' },
    headers: eden.headers,
    body: { ...ids, organization_guid: 'eden-unknown-guid', space_guid: 'eden-unknown-space' },
  }),
  bind: (ids: Ids): Asked => ({ headers: eden.headers, body: { ...ids, app_guid: 'eden-unknown' } }),
  unbind: (ids: Ids): Asked => ({ query: { ...ids }, headers: eden.headers }),
  remove: (ids: Ids): Asked => ({ query: { accepts_incomplete: 'true', ...ids }, headers: eden.headers }),
  poll: (ids: Ids, operation: string): Asked => ({ query: { ...ids, operation }, headers: eden.headers }),
};
