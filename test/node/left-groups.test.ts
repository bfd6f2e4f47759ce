import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from '../../src/system/launch.ts';
import { isAlive } from '../../src/system/process-identity.ts';
import { aTestNode } from './test-node.ts';

test('A node removes groups without an instance at its start, and tells of those in which something runs.', async () => {
  const first = await aTestNode();
  const { directory, keeper, path, name } = first.node;
  const { groups } = keeper ?? {};
  if (!keeper || !groups) return first.close();
  const instances = join(directory, 'process');
  mkdirSync(join(instances, 'present'), { recursive: true });
  for (const group of ['present', 'gone', 'running']) groups.apply(group, {});
  const left = await launch(
    { ...first.node, limits: { keeper, group: 'running', amounts: {} } },
    {
      command: ['sleep', '60'],
      cwd: first.place,
      env: { PATH: path },
      identityFile: join(first.place, 'left.json'),
      logFile: join(first.place, 'left.log'),
    },
  );
  first.node.close();
  const notes: string[] = [];
  const second = await aTestNode({ name, directory, note: (message) => notes.push(message) });
  expect(second.node.keeper?.groups?.list().toSorted()).toEqual(['present', 'running']);
  expect(notes).toContainEqual(
    `Processes run that belong to no instance of this node (group running): ${left.pid}.`,
  );
  expect(isAlive(left)).toBe(true);
  const bases = groups.trees.map(({ base }) => base);
  expect(bases.map((base) => existsSync(base))).not.toContain(false);
  await second.close();
  expect(bases.map((base) => existsSync(base))).not.toContain(true);
});
