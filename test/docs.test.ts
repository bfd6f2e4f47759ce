import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tableAfter } from './support/page-table.ts';

/** What the pages and the comments say of the project is there. */

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const code = globSync('{src,test}/**/*.{ts,sql,eta,mjs,cjs}', { cwd: root });
const pages = [
  'README.md',
  ...globSync('docs/**/*.md', { cwd: root }),
  ...globSync('src/**/*.md', { cwd: root }),
];
const architecture = read('docs/architecture.md');

/** As a link to a heading writes it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

function headingsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || headingsOf(target).map(anchorOf).includes(anchor);
}

test.each(pages)('Every link of %s to the project leads to a file and a heading.', (page) => {
  const links = [...read(page).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
});

// Decisions tell of the time when they were taken.
test.each(pages.filter((page) => !page.startsWith('docs/decisions/')))(
  'Every file of code that %s names is there.',
  (page) => {
    const named = [...read(page).matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = '']) => file);
    expect(named.filter((file) => !code.some((one) => `/${one}`.endsWith(`/${file}`)))).toEqual([]);
  },
);

test('Every room of src/, and every inner room of the core, has its row in docs/architecture.md.', () => {
  const roomsOf = (folder: string) =>
    new Set(globSync(`${folder}/*/`, { cwd: root }).map((one) => one.split('/').at(-1)));
  const rowsOf = (marker: string) =>
    new Set(tableAfter(architecture, marker).rows.map(([room = '']) => room.replaceAll(/[`/]/g, '')));
  expect(rowsOf('rooms')).toEqual(roomsOf('src'));
  expect(rowsOf('inner rooms')).toEqual(roomsOf('src/broker'));
});

describe('The stops of a request in docs/architecture.md', () => {
  const { rows } = tableAfter(architecture, 'stops');

  test('The stops of a request in docs/architecture.md are twelve at most, and numbered.', () => {
    expect(rows.length).toBeLessThanOrEqual(12);
    expect(rows.map(([stop]) => Number(stop))).toEqual(rows.map((_row, index) => index + 1));
  });

  test.each(rows.map(([, file = '', name = '']) => [name.replaceAll('`', ''), file.replaceAll('`', '')]))(
    'The stops of a request in docs/architecture.md have the function %s in src/%s.',
    (name, file) => {
      expect(read(`src/${file}`)).toMatch(new RegExp(`^(?:export )?(?:async )?function ${name}\\b`, 'm'));
    },
  );
});

/** A page, and its heading where one is named: `docs/lifecycle.md, Processes`. */
const citation = /(docs\/[\w/-]+\.md)(?:, ([A-Z][a-z]+(?: [a-z]+)*))?/g;

test('Every page, heading and decision that the code cites is there.', () => {
  const decisions = globSync('docs/decisions/*.md', { cwd: root }).map((file) =>
    Number(/\d+/.exec(file)?.[0]),
  );
  const wrong = code.flatMap((file) => {
    // A sentence may go on in the next line of a comment.
    const text = read(file).replaceAll(/\n\s*(?:\*|\/\/|--) ?/g, ' ');
    const cited = [...text.matchAll(citation)].filter(
      ([, page = '', heading]) =>
        !existsSync(join(root, page)) ||
        (heading !== undefined && !headingsOf(page).some((one) => heading.startsWith(one))),
    );
    const numbers = [...text.matchAll(/\bdecisions?(?:\/| )(\d+)/g)].filter(
      ([, number]) => !decisions.includes(Number(number)),
    );
    return [...cited, ...numbers].map(([what]) => `${file}: ${what}`);
  });
  expect(wrong).toEqual([]);
});
