import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { version } from '../src/program/version.ts';
import { makeDirectory } from '../src/system/make-directory.ts';
import { runInGroup } from './support/run-program.ts';
import { scratchDirectory } from './support/scratch-directory.ts';

/** What is given away, and on which terms. */

const root = join(import.meta.dirname, '..');

/** Made as for publishing, and unpacked where npm puts it; what it depends on is what is installed here. */
function installPackage(): string {
  const place = scratchDirectory('package');
  const packed = spawnSync('npm', ['pack', '--silent', '--pack-destination', place], { cwd: root });
  const installed = join(place, 'node_modules/purveyor');
  makeDirectory(installed);
  for (const name of readdirSync(join(root, 'node_modules')))
    symlinkSync(join(root, 'node_modules', name), join(place, 'node_modules', name));
  const tarball = join(place, packed.stdout.toString().trim());
  spawnSync('tar', ['xzf', tarball, '-C', installed, '--strip-components=1']);
  return place;
}

describe('The package', () => {
  const place = installPackage();
  const purveyor = join(place, 'node_modules/purveyor/src/start.js');
  const paths = globSync('**/*.*', { cwd: dirname(dirname(purveyor)) });

  function answer(cwd: string, ...args: string[]): string {
    return spawnSync(process.execPath, [purveyor, ...args], { cwd, encoding: 'utf8' }).stdout;
  }

  function make(cwd: string, offering: string): void {
    expect(answer(cwd, 'catalog', 'new', offering, '--from', 'echo')).toContain(`catalog/${offering}.yaml`);
  }

  test('The package holds the program, what it sells, its pages and its licence, and nothing else.', () => {
    const own = [
      'CHANGELOG.md',
      'LICENSE',
      'Procfile',
      'README.md',
      'SECURITY.md',
      'catalog',
      'dist',
      'docs',
      'manifest.yml',
      'package.json',
      'runtime.txt',
      'src',
    ];
    expect(readdirSync(dirname(dirname(purveyor)))).toEqual(own);
    for (const path of ['catalog/echo.yaml', 'docs/trial.md', 'dist/catalog/starters/hook.sh'])
      expect(paths).toContain(path);
    expect(paths.filter((path) => path.startsWith('src/'))).toEqual(['src/start.js']);
  });

  test('The package holds every source without its types, since Node takes them out of nothing below node_modules.', () => {
    const sources = globSync('**/*.ts', { cwd: join(root, 'src') });
    // The pages' own script is sent to browsers as it is.
    const sent = globSync('*/**/*.js', { cwd: join(root, 'src') });
    expect(paths.filter((path) => /^dist\/.*\.js$/.test(path)).toSorted()).toEqual(
      [...sources, ...sent].map((path) => `dist/${path.replace(/ts$/, 'js')}`).toSorted(),
    );
    expect(paths.filter((path) => path.endsWith('.ts'))).toEqual([]);
  });

  test('The package answers commands from a directory that has nothing, with the catalog that it brings along.', () => {
    const elsewhere = scratchDirectory('elsewhere');
    expect(answer(elsewhere, '--version')).toBe(`${version()}\n`);
    expect(answer(elsewhere, 'catalog', 'lint')).toMatch(/^The catalog is good: \d\d services/);
    // From then on there is a catalog here, and it counts.
    make(elsewhere, 'mine');
    expect(answer(elsewhere, 'catalog', 'lint')).toMatch(/^The catalog is good: 1 service,/);
  });

  test('The package serves, with threads of its own.', async () => {
    const elsewhere = scratchDirectory('elsewhere');
    make(elsewhere, 'one');
    const script = 'cd "$1" && exec "$2" "$3" serve';
    const broker = runInGroup('sh', ['-c', script, 'sh', elsewhere, process.execPath, purveyor], {
      PORT: '0',
      LOG_FORMAT: 'text',
      NODE_ROLE: 'false',
    });
    try {
      await broker.shows(/ listens on /);
      // A change is read in a thread.
      make(elsewhere, 'two');
      await broker.shows(/catalog loaded catalog="2 services, 2 plans"/);
    } finally {
      broker.signal('SIGTERM');
      expect((await broker.ended).code).toBe(0);
    }
  });
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
