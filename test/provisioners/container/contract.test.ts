import { describeProvisioner } from '../contract.ts';
import { aContainerNode, describeEngines, redisConfig } from './container-node.ts';

describeEngines((openEngine) => {
  describeProvisioner('the one of containers', async () => {
    const testNode = await aContainerNode(openEngine);
    const { 'redis.conf': conf } = redisConfig('').files as Record<string, string>;
    return {
      provisioner: testNode.provisioner,
      making: {
        config: {
          image: testNode.engine.image,
          ports: ['main'],
          // The contract gives no values but those of the provisioner itself.
          files: { 'redis.conf': conf?.replace(/aclfile.*\n/, 'protected-mode no\n') ?? '' },
          processes: {
            redis: {
              run: ['redis-server', '{{dir.conf}}/redis.conf'],
              ready: { port: 'main', send: 'PING\r\n', expect: '+PONG' },
            },
          },
        },
      },
      close: () => testNode.close(),
    };
  });
});
