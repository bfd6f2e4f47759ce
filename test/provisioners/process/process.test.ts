import { describeProvisioner } from '../contract.ts';
import { aProcessWorld, config } from './process-node.ts';

describeProvisioner('the one of processes', async () => {
  const world = await aProcessWorld();
  const text = '{"host": "{{node.bind}}", "port": {{ports.main}}, "data": {{dir.data | json}}}';
  return {
    provisioner: world.provisioner,
    making: { config: { ...config, files: { 'server.json': text } } },
    close: () => world.close(),
  };
});
