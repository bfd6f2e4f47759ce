import { describeProvisioner } from '../contract.ts';
import { aProcessNode, config, plan } from './process-node.ts';

describeProvisioner('the one of processes', async () => {
  const testNode = await aProcessNode();
  const text = '{"host": "{{node.bind}}", "port": {{ports.main}}, "data": {{dir.data | json}}}';
  return {
    provisioner: testNode.provisioner,
    making: { config: { ...config, files: { 'server.json': text } } },
    close: () => testNode.close(),
  };
});

test('The obstacle of a plan says how its offering is not set up correctly.', async () => {
  const testNode = await aProcessNode();
  const obstacle = (made: object, hooks = {}) =>
    testNode.provisioner.obstacle?.(
      plan({ making: { config: { ...config, ...made } }, operating: { hooks } }),
    );
  expect(obstacle({})).toBeUndefined();
  expect(obstacle({ ports: ['other'] })).toBe("config.ports has no 'main'");
  const hook = { run: ['./hooks/cache/nowhere'], env: {}, once: false, timeout: 1 };
  expect(obstacle({}, { prepare: hook })).toContain('hooks/cache/nowhere is in no catalog directory');
  expect(obstacle({}, { start: { ...hook, run: ['true'] } })).toContain('needs one for check_up');
  await testNode.close();
});
