import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { aTestEngine } from '../support/container-engine.ts';
import { answersPing, asking, timeToMake } from './processes.ts';
import { freePort, login, startBroker, stop } from './programs.ts';
import { inTurns, timeOf } from './rounds.ts';

const plan = { service_id: 'bench-container', plan_id: 'bench-container-one' };

function offeringOf(image: string): object {
  return {
    id: plan.service_id,
    name: plan.service_id,
    description: 'What docker run is held against.',
    provisioner: 'container',
    plans: [{ id: plan.plan_id, name: 'one', description: 'One container.', limits: { pids: 40 } }],
    config: {
      image,
      ports: ['main'],
      files: {
        'redis.conf': 'bind {{node.bind}}\nport {{ports.main}}\nsave ""\nrequirepass secret\n',
      },
      processes: {
        redis: {
          run: ['redis-server', '{{dir.conf}}/redis.conf'],
          ready: { port: 'main', send: 'AUTH secret\r\nPING\r\n', expect: '+PONG' },
        },
      },
    },
    credentials: { port: '{{ports.main}}' },
  };
}

/**
 * Milliseconds from the request of an instance until it is ready, and of `docker network create` and `docker run` of the
 * same program until it answers; medians of so many rounds.
 */
export async function measureContainers(
  directory: string,
  rounds: number,
): Promise<readonly [number, number]> {
  const engine = await aTestEngine();
  const [catalog, home] = [join(directory, 'container-catalog'), join(directory, 'container')];
  mkdirSync(catalog);
  mkdirSync(home);
  chmodSync(home, 0o755);
  writeFileSync(join(catalog, 'offering.json'), JSON.stringify(offeringOf(engine.image)));
  const broker = await startBroker(await freePort(), {
    DATA_DIR: home,
    CATALOG_DIR: catalog,
    NODE_ROLE: 'true',
    NODE_DIR: join(home, 'node'),
    NODE_CONTAINERS: engine.socket,
  });
  const docker = (...words: readonly string[]) =>
    promisify(execFile)('docker', ['-H', `unix://${engine.socket}`, ...words]);
  const ours = timeToMake(asking(broker.port, login, plan));
  async function theirs(round: number): Promise<number> {
    const name = `bench-${round}`;
    const port = 26_200 + round;
    const file = join(directory, `${name}.conf`);
    writeFileSync(file, `bind 0.0.0.0\nport ${port}\nsave ""\nrequirepass secret\n`);
    const limits = ['--read-only', '--cap-drop', 'ALL', '--pids-limit', '40', '--tmpfs', '/tmp:size=64m'];
    const took = await timeOf(async () => {
      await docker('network', 'create', name);
      const place = ['--network', name, '-p', `127.0.0.1:${port}:${port}`, '-v', `${file}:/redis.conf:ro`];
      await docker(
        'run',
        '-d',
        '--name',
        name,
        ...place,
        ...limits,
        engine.image,
        'redis-server',
        '/redis.conf',
      );
      while (!(await answersPing(port))) await new Promise((resolve) => setTimeout(resolve, 10));
    });
    await docker('rm', '-f', name);
    await docker('network', 'rm', name);
    return took;
  }
  try {
    return await inTurns(rounds, [ours, theirs]);
  } finally {
    await stop(broker);
    await engine.close();
  }
}
