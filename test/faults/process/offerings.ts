// Offerings of real programs: a tiny server that can misbehave, a light one of which there may be many.
import { join } from 'node:path';
import type { JsonObject } from '../../../src/broker/json.ts';

export interface Offering {
  readonly name: string;
  readonly [word: string]: unknown;
}

const program = join(import.meta.dirname, '../../provisioners/process/server.mjs');

/** How the tiny server behaves, by plan. */
const good = { late: 0, stubborn: false, mute: false, dies: false };
const plans = {
  small: good,
  late: { ...good, late: 1200 },
  stubborn: { ...good, stubborn: true },
  mute: { ...good, mute: true },
  dying: { ...good, dies: true },
};

/**
 * Lines in, lines out. Its log begins with its password.
 * @param more members of the offering, over those that it has anyway
 */
export function tiny(name: string, more: JsonObject = {}): Offering {
  return {
    ...common(
      name,
      Object.entries(plans).map(([plan, behaviour]) => planOf(name, plan, behaviour)),
    ),
    secrets: { password: { length: 24 } },
    parameters: { says: { type: 'string', default: 'hello' } },
    config: {
      ports: ['main'],
      files: {
        'server.json':
          '{"host": "{{node.bind}}", "port": {{ports.main}}, "data": {{dir.data | json}}, "says": ' +
          '{{params.says | json}}, "password": {{secrets.password | json}}, "late": {{plan.late}}, "stubborn": {{plan.stubborn}}, ' +
          '"mute": {{plan.mute}}, "dies": {{plan.dies}}}',
      },
      processes: {
        server: {
          run: [process.execPath, program, '{{dir.conf}}/server.json'],
          ready: { port: 'main', send: 'PING\n', expect: 'PONG' },
        },
      },
    },
    credentials: { host: '{{node.host}}', port: '{{ports.main}}', password: '{{secrets.password}}' },
    ...more,
  };
}

/** Redis that keeps nothing, of which there may be many. */
export function light(name: string, more: JsonObject = {}): Offering {
  const run = ['redis-server', '--bind', '{{node.bind}}', '--port', '{{ports.main}}', '--save', ''];
  return {
    ...common(name, [planOf(name, 'small')]),
    config: {
      ports: ['main'],
      processes: { server: { run, ready: { port: 'main', send: 'PING\r\n', expect: '+PONG' } } },
    },
    credentials: { host: '{{node.host}}', port: '{{ports.main}}' },
    ...more,
  };
}

/** What every offering of these tests has. */
export function common(name: string, itsPlans: readonly object[], provisioner = 'process'): Offering {
  return {
    id: name,
    name,
    description: name,
    instances_retrievable: true,
    bindings_retrievable: true,
    plan_updateable: true,
    provisioner,
    plans: itsPlans,
  };
}

export function planOf(offering: string, name: string, given: JsonObject = {}): object {
  return { id: `${offering}-${name}`, name, description: name, with: given };
}
