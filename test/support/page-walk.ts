import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { addressOf, type startedBrokers } from './started-brokers.ts';

const root = join(import.meta.dirname, '..', '..');

/** A command that a page shows, and what it says is printed then. */
export interface WalkStep {
  readonly command: string;
  readonly shown: string;
}

/** Commands of a page's console blocks, each with what the page shows as its output. */
export function stepsIn(page: string): WalkStep[] {
  return [...page.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = '', ...shown] = step.trimEnd().split('\n');
        return { command, shown: shown.join('\n') };
      }),
  );
}

export interface Walked {
  /** What the page shows for each step. */
  readonly expected: readonly string[];
  /** What was printed at each step, and then by what was done `more`. */
  readonly printed: readonly string[];
}

/** Does what a page shows, in a shell beside a broker that has just been started. */
export async function walk(
  { scratch, start }: ReturnType<typeof startedBrokers>,
  steps: readonly WalkStep[],
  { more = '', env = {} }: { readonly more?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Walked> {
  const address = await addressOf(start({ DATA_DIR: join(scratch, '.data'), ...env }));
  return doInShell(scratch, steps, { address, more });
}

/** The same where there is no broker yet, or one at this address. */
export function doInShell(
  scratch: string,
  steps: readonly WalkStep[],
  { address = 'http://127.0.0.1:8080', more = '' } = {},
): Walked {
  const here = (text: string) =>
    text
      .replaceAll('http://127.0.0.1:8080', address)
      .replaceAll('npm start --silent --', `'${process.execPath}' '${join(root, 'src/start.js')}'`);
  // The mark tells the answers apart.
  const script = [...steps.map(({ command }) => command), more].map(here).join('\necho "<end>"\n');
  const env = { PATH: process.env['PATH'], PORT: new URL(address).port, DATA_DIR: '.data' };
  const printed = execFileSync('bash', ['-c', script], { cwd: scratch, env, encoding: 'utf8' });
  const answers = printed.split('<end>\n').map((text) => text.trim());
  return { expected: steps.map(({ shown }) => here(shown)), printed: answers };
}

/** `…` stands for anything. */
export function asPattern(shown: string): RegExp {
  const literal = shown.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('[^]*')}$`);
}
