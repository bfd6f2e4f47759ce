import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/broker/json.ts';

/** One for each way of making things. */
export const offeringNames = ['echoes', 'folders', 'ledgers', 'lines', 'databases', 'slow'] as const;
export type OfferingName = (typeof offeringNames)[number];

/** As long as it lies there, hooks wait. */
export const hangFile = 'hang';

const common = { instances_retrievable: true, bindings_retrievable: true, plan_updateable: true };
const secret = { secrets: { password: { per: 'binding', length: 24 } } };

/** Writes the catalog and gives its directory. */
export function writeOfferings(scratch: string): string {
  const program = join(scratch, 'server.mjs');
  copyFileSync(join(import.meta.dirname, '../provisioners/process/server.mjs'), program);
  const directory = join(scratch, 'offerings');
  const hooks = join(directory, 'hooks', 'ledgers');
  mkdirSync(hooks, { recursive: true });
  // What it makes is one file for each instance and binding, beside everything that the broker makes.
  const ledger = join(scratch, 'ledger');
  mkdirSync(ledger);
  chmodSync(ledger, 0o777);
  const hook = (name: string, text: string) => {
    const waits = `while [ -e "${join(scratch, hangFile)}" ]; do sleep 0.1; done`;
    writeFileSync(join(hooks, name), `#!/bin/sh\nset -e\n${waits}\n${text}\n`, { mode: 0o755 });
  };
  hook('make', `[ -e "${ledger}/$1" ] || echo made > "${ledger}/$1"`);
  hook('drop', `rm -f "${ledger}/$1"`);
  for (const name of offeringNames) writeOffering(directory, name, 'As it was', program);
  return directory;
}

/** Also while brokers read it: it is put there whole. */
export function writeOffering(
  directory: string,
  name: OfferingName,
  description: string,
  program?: string,
): void {
  const own = join(directory, '..', 'server.mjs');
  const offering = { id: name, name, description, ...common, ...partsOf(name, program ?? own) };
  const plans = [{ id: `${name}-plan`, name: 'plan', description: 'The only one' }];
  writeFileSync(join(directory, `.${name}`), JSON.stringify({ plans, ...offering }));
  copyFileSync(join(directory, `.${name}`), join(directory, `${name}.json`));
}

function partsOf(name: OfferingName, program: string): JsonObject {
  switch (name) {
    case 'echoes':
      return {
        provisioner: 'echo',
        config: { answer: 'echo' },
        secrets: { token: { per: 'binding', length: 40 }, dashboard_token: { per: 'instance', length: 40 } },
        credentials: {
          uri: '{{broker.url}}/services/echo/{{instance.id | uri}}/{{binding.id | uri}}?token={{secrets.token}}',
        },
      };
    case 'folders':
      return { provisioner: 'directory', credentials: { path: '{{dir.data}}' } };
    case 'ledgers':
      return {
        provisioner: 'command',
        ...secret,
        hooks: {
          prepare: { run: ['./hooks/ledgers/make', '{{instance.key}}'] },
          remove: { run: ['./hooks/ledgers/drop', '{{instance.key}}'] },
          bind: { run: ['./hooks/ledgers/make', '{{instance.key}}.{{binding.key}}'] },
          unbind: { run: ['./hooks/ledgers/drop', '{{instance.key}}.{{binding.key}}'] },
        },
        credentials: { key: '{{instance.key}}', file: '{{instance.key}}.{{binding.key}}' },
      };
    case 'lines':
      return {
        provisioner: 'process',
        secrets: { password: { length: 24 } },
        monitor: { every: '2s' },
        config: {
          ports: ['main'],
          files: {
            'server.json': '{"host": "{{node.bind}}", "port": {{ports.main}}, "data": {{dir.data | json}}}',
          },
          processes: {
            server: {
              run: [process.execPath, program, '{{dir.conf}}/server.json'],
              ready: { port: 'main', send: 'PING\n', expect: 'PONG' },
            },
          },
        },
        timeouts: { start: '60s' },
        credentials: { host: '{{node.host}}', port: '{{ports.main}}', key: '{{instance.key}}' },
      };
    case 'databases':
      return {
        provisioner: 'postgres',
        ...secret,
        config: { server: 'SHARED_POSTGRES_URL', connection_limit: 5 },
        credentials: {
          uri: 'postgres://{{db.user}}:{{secrets.password | uri}}@{{server.host}}:{{server.port}}/{{db.name}}',
          name: '{{db.name}}',
          user: '{{db.user}}',
        },
      };
    case 'slow':
      return {
        provisioner: 'faulty',
        ...secret,
        credentials: { name: '{{thing.name}}', password: '{{secrets.password}}' },
        plans: [
          {
            id: 'slow-plan',
            name: 'plan',
            description: 'In steps',
            with: {
              provision: { steps: 3, each: '500ms' },
              deprovision: { steps: 2, each: '300ms' },
              bind: { takes: '1s' },
            },
          },
        ],
      };
  }
}
