import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asPattern, doInShell, stepsIn, walk, type Walked } from './support/page-walk.ts';
import { startedBrokers } from './support/started-brokers.ts';

const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'tutorial.md'), 'utf8');
const needed = ['mosquitto', 'mosquitto_ctrl', 'mosquitto_rr', 'mosquitto_pub'];
const [plugin = ''] = /\/usr\S+\.so/.exec(page) ?? [];
const missing = [
  ...needed.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0),
  ...(existsSync(plugin) ? [] : [plugin]),
];

(missing.length === 0 ? describe : describe.skip)(
  `The tutorial${missing.length === 0 ? '' : ` (skipped: there is no ${missing.join(', ')})`}`,
  () => {
    const brokers = startedBrokers();

    test('Who does what the tutorial says, and nothing else, sells a Mosquitto whose bindings are proven.', async () => {
      const steps = stepsIn(page);
      const [look, sell] = ['chmod', 'purveyor create'].map((begin) =>
        steps.findIndex(({ command }) => command.startsWith(begin)),
      ) as [number, number];
      const settings = steps.slice(0, look - 1);
      requireShown(doInShell(brokers.scratch, steps.slice(0, look)));
      writeFiles(brokers.scratch);
      requireShown(doInShell(brokers.scratch, [...settings, ...steps.slice(look, sell)]));
      const env = { CATALOG_DIR: join(brokers.scratch, 'catalog-of-mine') };
      requireShown(await walk(brokers, [...settings, ...steps.slice(sell)], { env }));
    });
  },
);

function requireShown({ expected, printed }: Walked): void {
  for (const [index, shown] of expected.entries()) expect(printed[index]).toMatch(asPattern(shown));
}

function writeFiles(folder: string): void {
  const files = [...page.matchAll(/<!-- file: (\S+) -->\n\n```\w+\n([\s\S]*?)```/g)];
  expect(files).toHaveLength(5);
  for (const [, path = '', content = ''] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
