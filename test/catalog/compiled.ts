import type { Catalog, ServicePlan } from '../../src/broker/catalog.ts';
import { anOffering, aPlan, guid, loaded, program } from './folder.ts';

export async function catalogOf(changes: object): Promise<Catalog> {
  const { catalog, lines } = await loaded({ 'a.json': anOffering(changes), 'hooks/cache/init': program });
  if (!catalog) throw new Error(lines.join('\n'));
  return catalog;
}

export async function planOf(changes: object, position = 0): Promise<ServicePlan> {
  const plan = (await catalogOf(changes)).offerings[0]?.plans[position];
  if (!plan) throw new Error('No such plan');
  return plan;
}

export const rich = {
  requires: ['volume_mount', 'syslog_drain', 'route_forwarding'],
  bindings_retrievable: true,
  plan_updateable: true,
  config: { memory: '{{plan.memory}}', run: ['cache-server'] },
  secrets: { password: {}, token: { per: 'binding', length: 40 } },
  parameters: {
    eviction: { type: 'string', enum: ['none', 'lru'], default: 'none' },
    size: { type: 'integer', minimum: 1 },
  },
  dashboard: '{{broker.url}}/{{instance.id}}',
  syslog_drain_url: 'syslog://{{node.host}}',
  route_service_url: 'https://{{node.host}}',
  volume_mounts: [
    {
      driver: 'nfs',
      container_dir: '/x',
      mode: 'rw',
      device_type: 'shared',
      device: { volume_id: '{{instance.id}}' },
    },
  ],
  endpoints: [{ host: '{{node.host}}', ports: ['{{ports.main}}'] }],
  instance_metadata: { labels: { node: '{{node.host}}' }, attributes: { size: '{{params.size}}' } },
  binding_metadata: { expires_after: '30d', renew_before: '12h' },
  requires_app: true,
  async: 'required',
  timeouts: { start: '20s', stop: '2m' },
  monitor: { every: '10s', restart: 3, within: '10m' },
  hooks: { configure: { run: ['./hooks/cache/init'], once: true, timeout: '60s' } },
  max_instances: 4,
  plans: [
    aPlan({
      free: false,
      cost: 4,
      binding_rotatable: true,
      maximum_polling_duration: 600,
      maintenance_info: { version: '1.2.3', description: 'New' },
      metadata: { displayName: 'Small' },
      with: { memory: 32 },
    }),
    aPlan({
      id: guid(3),
      name: 'other',
      bindable: false,
      plan_updateable: false,
      with: { memory: 64 },
      schemas: {},
      credentials: { own: 'words' },
      requires_app: false,
      async: ['provision'],
      dashboard: 'https://own',
      instance_metadata: { labels: {} },
    }),
  ],
};
