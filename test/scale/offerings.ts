import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const common = {
  instances_retrievable: true,
  bindings_retrievable: true,
  plan_updateable: true,
};
const echo = {
  ...common,
  provisioner: 'echo',
  config: { answer: 'echo' },
  secrets: { token: { per: 'binding', length: 40 }, dashboard_token: { per: 'instance', length: 40 } },
  credentials: { token: '{{secrets.token}}' },
};
const planOf = (name: string, more: object = {}) => ({
  id: `${name}-plan`,
  name: 'plan',
  description: 'One',
  ...more,
});

const offerings = {
  echoes: { ...echo, plans: [planOf('echoes'), { id: 'echoes-more', name: 'more', description: 'Two' }] },
  // Each organization, space and platform has few of the very many.
  counted: {
    ...echo,
    plans: [planOf('counted')],
    quota: { platform: { instances: 1000 }, organization: { instances: 50 }, space: { instances: 20 } },
  },
  folders: {
    ...common,
    provisioner: 'directory',
    monitor: { every: '30s' },
    credentials: { path: '{{dir.data}}' },
    plans: [planOf('folders', { cost: 1 })],
  },
  rarely: { ...echo, plans: [planOf('rarely')] },
} as const;

export const offeringNames = Object.keys(offerings) as readonly (keyof typeof offerings)[];

/** Writes the catalog of what there is very much of, and gives its directory. */
export function writeOfferings(scratch: string): string {
  const directory = join(scratch, 'offerings');
  mkdirSync(directory, { recursive: true });
  for (const [name, parts] of Object.entries(offerings)) {
    const offering = { id: name, name, description: 'One of very many', ...parts };
    writeFileSync(join(directory, `${name}.json`), JSON.stringify(offering));
  }
  return directory;
}
