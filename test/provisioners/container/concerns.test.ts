import { createServer } from 'node:http';
import { join } from 'node:path';
import { containerModule } from '../../../src/provisioners/process/containers/module.ts';
import { aPlan } from '../../broker/fixtures.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { aProcessNode } from '../process/process-node.ts';
import { redisConfig } from './container-node.ts';

test('A broker that ends while an image is fetched ahead tells its operator of no trouble with it.', async () => {
  const socket = join(scratchDirectory('slow-engine'), 'docker.sock');
  const asked = Promise.withResolvers<void>();
  // Of an engine that knows no image and fetches one for as long as anybody waits.
  const engine = createServer((request, response) => {
    if (request.url?.startsWith('/images/create')) return asked.resolve();
    response.writeHead(404).end('{}');
  });
  await new Promise<void>((listening) => engine.listen(socket, listening));
  const inner = await aProcessNode();
  const { node, ports } = inner;
  const config = { nodeContainers: socket, nodePull: true };
  const provisioner = await containerModule.create({ node, ports, config });
  const concerns = provisioner.concerns(
    aPlan({ making: { provisioner: 'container', config: redisConfig('redis:7') } }),
  );
  await asked.promise;
  await provisioner.close();
  const told = await concerns;
  await inner.close();
  engine.closeAllConnections();
  await new Promise((closed) => engine.close(closed));
  expect(told).toEqual([]);
});
