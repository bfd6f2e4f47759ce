import { coreInMemory, scripted } from './core-in-memory.ts';

/** What events tell of that which operators have done with nodes. */

const origin = { protocol: 'operator', principal: 'ops', requestId: 'r1' };

test('What is done with nodes is told once, with who asked and how it ended.', async () => {
  const { provisioner } = scripted({}, { local: true });
  const core = coreInMemory(provisioner);
  for (const name of ['n1', 'n2']) await core.beat({ name });
  const { overview } = core.broker({ node: 'n1' }).broker;
  for (const draining of [true, false]) await overview.drain({ node: 'n1', draining, origin });
  await expect(overview.forget({ node: 'n1', origin })).rejects.toThrow('is alive');
  core.pass(31_000);
  await overview.forget({ node: 'n1', origin });
  await overview.forget({ node: 'n2', abandon: true, origin });
  await expect(overview.drain({ node: 'n3', draining: true, origin })).rejects.toThrow('no node');
  const ended = { type: 'command-ended', origin, ms: expect.any(Number) as number, failure: undefined };
  expect(core.events).toEqual([
    { ...ended, command: { kind: 'drain', node: 'n1' } },
    { ...ended, command: { kind: 'undrain', node: 'n1' } },
    {
      ...ended,
      command: { kind: 'forget', node: 'n1' },
      failure: { word: 'conflict', sentence: "The node 'n1' is alive." },
    },
    { ...ended, command: { kind: 'forget', node: 'n1' } },
    { ...ended, command: { kind: 'abandon', node: 'n2' } },
    {
      ...ended,
      command: { kind: 'drain', node: 'n3' },
      failure: { word: 'not-found', sentence: "There is no node 'n3'." },
    },
  ]);
});

test('What failed for no reason of a command is told without what it said.', async () => {
  const { provisioner } = scripted({}, { local: true });
  const core = coreInMemory(provisioner);
  const broken = { ...core.nodes, drain: () => Promise.reject(new Error('password=canary')) };
  const { overview } = core.broker({}, { nodes: broken }).broker;
  await expect(overview.drain({ node: 'n1', draining: true, origin })).rejects.toThrow('canary');
  expect(core.events).toMatchObject([{ type: 'command-ended', failure: { word: 'internal' } }]);
  expect(JSON.stringify(core.events)).not.toContain('canary');
});
