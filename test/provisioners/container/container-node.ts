import type { Making, Operating, ServicePlan } from '../../../src/broker/catalog.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import type { NodeSettings } from '../../../src/node/instance-context.ts';
import { containers } from '../../../src/provisioners/process/containers/index.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { aTestEngine, type TestEngine, whyNoEngine } from '../../support/container-engine.ts';
import { aPodmanEngine, whyNoPodman } from '../../support/podman-engine.ts';
import { aProcessNode, password, type ProcessNode, work } from '../process/process-node.ts';

/** Tests of containers run where an engine can; elsewhere they say why not. */
const why = whyNoEngine();
if (why !== undefined) process.stderr.write(`The tests of containers are skipped: ${why}.\n`);
export const describeContainers = why === undefined ? describe : describe.skip;

const whyNot = whyNoPodman();
if (whyNot !== undefined)
  process.stderr.write(`The tests of containers with Podman are skipped: ${whyNot}.\n`);

/** The same at each engine that there can be. */
export function describeEngines(what: (openEngine: typeof aTestEngine) => void): void {
  describeContainers('With Docker,', () => what(aTestEngine));
  (whyNot === undefined ? describe : describe.skip)('With Podman,', () => what(aPodmanEngine));
}

/** A Redis of its own, with a user for each binding. */
export function redisConfig(image: string): Making['config'] {
  return {
    image,
    ports: ['main'],
    files: {
      'redis.conf':
        'bind {{node.bind}}\nport {{ports.main}}\ndir "{{dir.data | quoted}}"\naclfile "{{dir.conf | quoted}}/users.acl"\nappendonly yes\n',
      'users.acl': { keep: true, content: 'user default on >{{secrets.password}} ~* &* +@all\n' },
    },
    processes: {
      redis: {
        run: ['redis-server', '{{dir.conf}}/redis.conf'],
        env: { COLOUR: 'blue' },
        ready: { port: 'main', send: 'AUTH {{secrets.password}}\r\nPING\r\n', expect: '+PONG' },
      },
    },
    bind: [
      {
        port: 'main',
        send: 'AUTH {{secrets.password}}\r\nACL SETUSER {{binding.key}} reset on >{{binding.key}} ~* +@all\r\nACL SAVE\r\n',
        expect: '+OK\r\n+OK\r\n+OK',
      },
    ],
    unbind: [
      {
        port: 'main',
        send: 'AUTH {{secrets.password}}\r\nACL DELUSER {{binding.key}}\r\nACL SAVE\r\n',
        expect: '+OK\r\n:',
      },
    ],
  };
}

export interface ContainerNode extends ProcessNode {
  readonly engine: TestEngine;
  readonly settings: NodeSettings;
  /** Of a Redis, with these changes to its `config`. */
  plan(config?: object, operating?: Partial<Operating>): ServicePlan;
}

export async function aContainerNode(openEngine = aTestEngine): Promise<ContainerNode> {
  const [engine, inner] = await Promise.all([openEngine(), aProcessNode()]);
  const { node, ports } = inner;
  const provisioner = containers({ node, ports }, { engine: engine.engine });
  return {
    ...inner,
    engine,
    settings: { node, ports },
    provisioner,
    plan: (config = {}, operating = {}) =>
      aPlan({
        making: { provisioner: 'container', config: { ...redisConfig(engine.image), ...config } },
        operating,
      }),
    async close() {
      await engine.close();
      await inner.close();
    },
  };
}

/** Work on an instance, with its secret and the key of its binding. */
export function redisWork(id: string, plan: ServicePlan, given: Partial<Work> = {}): Work {
  const values = { binding: { key: 'pbinding' }, secrets: { password }, ...given.values };
  return work(id, plan, { ...given, values });
}
