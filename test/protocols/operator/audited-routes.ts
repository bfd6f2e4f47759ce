// Every route that changes something, of every protocol, with the row that it must leave in the audit trail.

export const ticker = {
  service_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a10',
  plan_id: '5f0e3f55-7a51-4a4e-9f0b-6f5a2c3b1a11',
};

export interface Sent {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object | (() => object);
  readonly status?: number;
  readonly before?: () => Promise<unknown>;
}

export type Case = readonly [
  protocol: 'osb' | 'operator' | 'tsuru',
  method: 'get' | 'put' | 'patch' | 'post' | 'delete',
  route: string,
  path: () => string,
  verb: string,
  object: string,
  sent?: Sent,
];

/** What must be there before a route has something to do. */
export interface Prepare {
  /** An operation of this id, which has failed or waits for a node that is not there. */
  readonly failed: (instanceId: string, id: string) => Promise<unknown>;
  readonly waiting: (instanceId: string, id: string) => Promise<unknown>;
  readonly instance: (id: string, bindingId?: string) => Promise<unknown>;
  readonly drift: () => Promise<unknown>;
  /** An instance that was deleted and is kept. */
  readonly deleted: (id: string) => Promise<unknown>;
  /** A run of this id and in this state, which nobody carries on for an hour. */
  readonly upgrades: (id: string, state: string) => Promise<unknown>;
  /** A receiver of webhooks with a message that was given up. */
  readonly dead: (receiver: string) => Promise<unknown>;
  readonly binding: () => Promise<unknown>;
  readonly leftNode: (name: string, instanceId?: string) => Promise<unknown>;
  readonly finalOrphan: () => Promise<unknown>;
  /** It, as the operator API names it. */
  readonly orphan: () => object;
  readonly argument: string;
  /** The one that was made, whose id is given then. */
  readonly findBackup: () => Promise<unknown>;
  readonly backup: () => string;
  /** A directory that nobody has, as it is named. */
  readonly folder: () => string;
}

export const osbPath = '/v2/service_instances';
const instance = '/operator/instances/:instanceId';
const node = '/operator/nodes/:node';
const resource = '/tsuru/:offering/resources/:name';
const of = '/tsuru/ticker/resources';
const app = { 'app-name': 'shop', 'app-host': 'shop.example.com' };

export const made = { ...ticker, organization_guid: 'o', space_guid: 's' };

/** Every route that changes something, in an order in which each of them has something to do. */
export function auditedRoutes(prepare: Prepare): readonly Case[] {
  return [
    [
      'osb',
      'put',
      `${osbPath}/:instanceId`,
      () => `${osbPath}/i1`,
      'provision',
      'i1',
      { body: made, status: 201 },
    ],
    [
      'osb',
      'patch',
      `${osbPath}/:instanceId`,
      () => `${osbPath}/i1`,
      'update',
      'i1',
      {
        body: { service_id: ticker.service_id, context: { platform: 'cloudfoundry', instance_name: 'new' } },
      },
    ],
    [
      'osb',
      'put',
      `${osbPath}/:instanceId/service_bindings/:bindingId`,
      () => `${osbPath}/i1/service_bindings/b1`,
      'bind',
      'b1',
      { body: ticker, status: 201 },
    ],
    [
      'osb',
      'delete',
      `${osbPath}/:instanceId/service_bindings/:bindingId`,
      () => `${osbPath}/i1/service_bindings/b1`,
      'unbind',
      'b1',
      { query: ticker },
    ],
    [
      'operator',
      'post',
      `${instance}/actions/stop`,
      () => '/operator/instances/i1/actions/stop',
      'stop',
      'i1',
    ],
    [
      'operator',
      'post',
      `${instance}/actions/start`,
      () => '/operator/instances/i1/actions/start',
      'start',
      'i1',
    ],
    [
      'operator',
      'post',
      `${instance}/actions/restart`,
      () => '/operator/instances/i1/actions/restart',
      'restart',
      'i1',
    ],
    [
      'operator',
      'post',
      `${instance}/exec`,
      () => '/operator/instances/i1/exec',
      'exec',
      'i1',
      { body: { command: ['sh', '-c', 'exit 0', prepare.argument] } },
    ],
    [
      'operator',
      'post',
      `${instance}/dashboard-link`,
      () => '/operator/instances/i1/dashboard-link',
      'dashboard-link',
      'i1',
      { body: { for: 60_000 } },
    ],
    [
      'operator',
      'post',
      `${instance}/actions/:action`,
      () => '/operator/instances/i1/actions/mark',
      'action',
      'i1',
      { body: { parameters: { word: prepare.argument } } },
    ],
    [
      'operator',
      'post',
      `${instance}/adopt`,
      () => '/operator/instances/adopted/adopt',
      'adopt',
      'adopted',
      { body: () => ({ thing: prepare.folder(), node: 'here', offering: 'folder', plan: 'one' }) },
    ],
    ['operator', 'post', `${instance}/backups`, () => '/operator/instances/i1/backups', 'backup', 'i1'],
    [
      'operator',
      'post',
      '/operator/backups/:backupId/restore',
      () => `/operator/backups/${prepare.backup()}/restore`,
      'restore',
      'i1',
      { before: prepare.findBackup },
    ],
    [
      'operator',
      'delete',
      '/operator/backups/:backupId',
      () => `/operator/backups/${prepare.backup()}`,
      'delete-backup',
      'i1',
    ],
    ['operator', 'get', `${instance}/log`, () => '/operator/instances/i1/log', 'log', 'i1'],
    [
      'operator',
      'post',
      `${instance}/actions/upgrade`,
      () => '/operator/instances/i1/actions/upgrade',
      'update',
      'i1',
      { before: prepare.drift },
    ],
    [
      'operator',
      'delete',
      `${instance}/bindings/:bindingId`,
      () => '/operator/instances/i1/bindings/b2',
      'unbind',
      'b2',
      { before: prepare.binding },
    ],
    ['operator', 'post', `${node}/drain`, () => '/operator/nodes/here/drain', 'drain', 'here'],
    ['operator', 'post', `${node}/undrain`, () => '/operator/nodes/here/undrain', 'undrain', 'here'],
    [
      'operator',
      'post',
      `${node}/forget`,
      () => '/operator/nodes/gone/forget',
      'forget',
      'gone',
      { before: () => prepare.leftNode('gone') },
    ],
    [
      'operator',
      'post',
      `${node}/abandon`,
      () => '/operator/nodes/lost/abandon',
      'abandon',
      'lost',
      { before: () => prepare.leftNode('lost', 'i2') },
    ],
    [
      'operator',
      'post',
      `${instance}/actions/recreate`,
      () => '/operator/instances/i2/actions/recreate',
      'provision',
      'i2',
    ],
    [
      'operator',
      'post',
      '/operator/orphans/remove',
      () => '/operator/orphans/remove',
      'remove-orphan',
      '',
      { before: prepare.finalOrphan, body: prepare.orphan },
    ],
    [
      'operator',
      'put',
      '/operator/authorities/:generation',
      () => '/operator/authorities/1',
      'renew-authority',
      '1',
      { body: { signs_after: 0 } },
    ],
    // That of nothing ends at once, and the one on which something is changed never begins.
    ['operator', 'post', '/operator/upgrades', () => '/operator/upgrades', 'start-upgrades', ''],
    [
      'operator',
      'post',
      '/operator/webhooks/:receiver/retry',
      () => '/operator/webhooks/of-retry/retry',
      'retry-webhooks',
      'of-retry',
      { before: () => prepare.dead('of-retry') },
    ],
    ...(['pause', 'resume', 'cancel'] as const).map((change): Case => [
      'operator',
      'post',
      `/operator/upgrades/:run/${change}`,
      () => `/operator/upgrades/of-${change}/${change}`,
      `${change}-upgrades`,
      `of-${change}`,
      { before: () => prepare.upgrades(`of-${change}`, change === 'resume' ? 'paused' : 'running') },
    ]),
    [
      'osb',
      'delete',
      `${osbPath}/:instanceId`,
      () => `${osbPath}/i1`,
      'deprovision',
      'i1',
      { query: ticker },
    ],
    [
      'operator',
      'delete',
      instance,
      () => '/operator/instances/i2',
      'deprovision',
      'i2',
      { query: { confirm: 'i2' } },
    ],
    [
      'operator',
      'post',
      '/operator/operations/:operationId/retry',
      () => '/operator/operations/retried/retry',
      'deprovision',
      'of-retry',
      { before: () => prepare.failed('of-retry', 'retried') },
    ],
    [
      'operator',
      'post',
      '/operator/operations/:operationId/cancel',
      () => '/operator/operations/cancelled/cancel',
      'cancel',
      'of-cancel',
      { before: () => prepare.waiting('of-cancel', 'cancelled') },
    ],
    ...(['protect', 'unprotect'] as const).map((verb): Case => [
      'operator',
      'post',
      `${instance}/actions/${verb}`,
      () => `/operator/instances/of-protection/actions/${verb}`,
      verb,
      'of-protection',
      { before: () => (verb === 'protect' ? prepare.instance('of-protection') : Promise.resolve()) },
    ]),
    [
      'operator',
      'post',
      `${instance}/actions/undelete`,
      () => '/operator/instances/of-undelete/actions/undelete',
      'undelete',
      'of-undelete',
      { before: () => prepare.deleted('of-undelete') },
    ],
    ...(['purge', 'force-delete'] as const).map((verb): Case => [
      'operator',
      'post',
      `${instance}/actions/${verb}`,
      () => `/operator/instances/of-${verb}/actions/${verb}`,
      verb === 'purge' ? verb : 'deprovision',
      `of-${verb}`,
      { query: { confirm: `of-${verb}` }, before: () => prepare.instance(`of-${verb}`) },
    ]),
    [
      'operator',
      'post',
      `${instance}/bindings/:bindingId/actions/purge`,
      () => '/operator/instances/of-binding/bindings/b1/actions/purge',
      'purge',
      'b1',
      { query: { confirm: 'b1' }, before: () => prepare.instance('of-binding', 'b1') },
    ],
    [
      'tsuru',
      'post',
      '/tsuru/:offering/resources',
      () => of,
      'provision',
      'tsuru.ticker.t1',
      { body: { name: 't1', team: 'x' }, status: 201 },
    ],
    [
      'tsuru',
      'put',
      resource,
      () => `${of}/t1`,
      'update',
      'tsuru.ticker.t1',
      { body: { team: 'x', description: 'd' } },
    ],
    ...(['bind-app', 'bind', ''] as const).flatMap((word): Case[] => {
      const route = word === '' ? resource : `${resource}/${word}`;
      const path = () => (word === '' ? `${of}/t1` : `${of}/t1/${word}`);
      const [gone, goneRoute] =
        word === '' ? [`${of}/t1/hostname/shop.example.com`, `${resource}/hostname/:host`] : [path(), route];
      return [
        ['tsuru', 'post', route, path, 'bind', '', { body: app, status: 201 }],
        ['tsuru', 'delete', goneRoute, () => gone, 'unbind', '', { body: app }],
      ];
    }),
    [
      'tsuru',
      'post',
      `${resource}/bind-unit`,
      () => `${of}/t1/bind-unit`,
      'bind',
      '',
      { body: app, status: 201 },
    ],
    ['tsuru', 'delete', `${resource}/bind-unit`, () => `${of}/t1/bind-unit`, 'unbind', '', { body: app }],
    [
      'tsuru',
      'put',
      `${resource}/binds/jobs/:job`,
      () => `${of}/t1/binds/jobs/j`,
      'bind',
      '',
      { body: {}, status: 201 },
    ],
    ['tsuru', 'delete', `${resource}/binds/jobs/:job`, () => `${of}/t1/binds/jobs/j`, 'unbind', ''],
    ...(['stop', 'start', 'restart'] as const).map((verb): Case => [
      'tsuru',
      'post',
      `${resource}/actions/${verb}`,
      () => `${of}/t1/actions/${verb}`,
      verb,
      'tsuru.ticker.t1',
    ]),
    ['tsuru', 'get', `${resource}/log`, () => `${of}/t1/log`, 'log', 'tsuru.ticker.t1'],
    ['tsuru', 'delete', resource, () => `${of}/t1`, 'deprovision', 'tsuru.ticker.t1'],
  ];
}

/** As `method path`. */
export function nameOf([, method, route]: Case): string {
  return `${method} ${route}`;
}
