// Runs jest. Of a whole run, test files that are red beside others are run once more by themselves: decision 76.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mostAgain = 3;
const jest = join(import.meta.dirname, '../../node_modules/jest/bin/jest.js');
const nodeOptions = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'];

interface Run {
  readonly code: number;
  readonly red: readonly string[];
}

async function run(args: readonly string[]): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'jest-results-'));
  try {
    const file = join(directory, 'results.json');
    const all = [...nodeOptions, jest, '--json', `--outputFile=${file}`, ...args];
    const child = spawn(process.execPath, all, { stdio: ['ignore', 'inherit', 'inherit'] });
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (ended) => resolve(ended ?? 1));
    });
    return { code, red: code === 0 ? [] : redIn(file) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** None where jest did not come to its end. */
function redIn(file: string): readonly string[] {
  try {
    const results = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly wasInterrupted: boolean;
      readonly testResults: readonly { readonly name: string; readonly status: string }[];
    };
    if (results.wasInterrupted) return [];
    return results.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  } catch {
    return [];
  }
}

const given = process.argv.slice(2);
const isWhole = given.every((word) => word.startsWith('-'));
let { code, red } = await run(given);
if (isWhole && red.length > 0 && red.length <= mostAgain) {
  process.stdout.write(`\nRed beside others, now by themselves:\n${red.join('\n')}\n\n`);
  ({ code } = await run([...given, '--runInBand', '--runTestsByPath', ...red]));
  const verdict = code === 0 ? 'green by themselves, and to be mended' : 'red by themselves too';
  process.stdout.write(`\nRed beside others, ${verdict}:\n${red.join('\n')}\n`);
}
process.exitCode = code;
