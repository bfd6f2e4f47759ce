import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is given away, and on which terms. */

const root = join(import.meta.dirname, '..');

interface Packed {
  readonly files: readonly { readonly path: string }[];
}

test('The package holds the program, what it sells, its pages and its licence, and nothing else.', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [packed] = JSON.parse(stdout) as [Packed];
  const paths = packed.files.map(({ path }) => path);
  const own = [
    'CHANGELOG.md',
    'LICENSE',
    'Procfile',
    'README.md',
    'SECURITY.md',
    'manifest.yml',
    'package.json',
    'runtime.txt',
  ];
  expect(paths.filter((path) => !path.includes('/')).toSorted()).toEqual(own.toSorted());
  const folders = new Set(paths.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
  expect(folders).toEqual(new Set(['catalog', 'docs', 'src']));
  for (const path of ['src/start.js', 'catalog/echo.yaml', 'catalog/hooks/redis/update', 'docs/trial.md']) {
    expect(paths).toContain(path);
  }
});

test('The licence is Apache-2.0, in full and by name.', () => {
  const { license, private: closed } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    license?: string;
    private?: boolean;
  };
  expect([license, closed]).toEqual(['Apache-2.0', undefined]);
  const text = readFileSync(join(root, 'LICENSE'), 'utf8');
  expect(text).toMatch(/Apache License\s+Version 2\.0, January 2004/);
  expect(text).toContain('END OF TERMS AND CONDITIONS');
});
