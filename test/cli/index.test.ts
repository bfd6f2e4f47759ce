import { readFileSync } from 'node:fs';
import { options } from '../../src/program/config.ts';
import { type Ended, runInGroup, runProgram } from '../support/run-program.ts';

// Each starts the program.
test('The help lists the commands and every option with its default', async () => {
  const { code, output, errors } = await runProgram(['--help']).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  for (const command of ['serve', 'catalog', 'keys', 'rekey', 'config'])
    expect(output).toContain(`  ${command}`);
  for (const { name, meaning } of Object.values(options)) {
    expect(output).toContain(name);
    expect(output).toContain(meaning);
  }
});

test('The help of a group lists its commands', async () => {
  const { output } = await runProgram(['catalog', '--help']).ended;
  expect(output).toMatch(/lint \[options\] \[paths\.\.\.\]/);
});

test.each([
  ['help', '--help'],
  ['help rekey', 'rekey --help'],
  ['help instances show', 'instances show --help'],
])('The command line %s is the same as %s', async (words, flags) => {
  const asked = await runProgram(words.split(' ')).ended;
  expect(asked).toEqual(await runProgram(flags.split(' ')).ended);
  expect(asked).toMatchObject({ code: 0, errors: '', output: expect.stringMatching(/^Usage: /) });
});

test('A home in which nothing can be made keeps no command from running', async () => {
  const running = runProgram(['--version'], { HOME: '/proc/nowhere' });
  expect(await running.ended).toMatchObject({ code: 0, errors: '' });
});

test('The version that is told is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await runProgram(['--version']).ended).toEqual({ code: 0, output: `${version}\n`, errors: '' });
});

test.each([
  ['bogus', "There is no command 'bogus'. See --help."],
  ['help bogus', "There is no command 'bogus'. See --help."],
  ['help instances bogus', "There is no command 'instances bogus'. See instances --help."],
  ['lint', "There is no command 'lint'. Near to it: catalog lint. See --help."],
  ['isntances', "There is no command 'isntances'. Near to it: instances. See --help."],
  ['sevre', "There is no command 'sevre'. Near to it: serve. See --help."],
  ['instances bogus', "There is no command 'instances bogus'. See instances --help."],
  [
    'instances stat i1',
    "There is no command 'instances stat'. Near to it: instances start, instances stop. See instances --help.",
  ],
  ['catalog check', "There is no command 'catalog check'. See catalog --help."],
])('%s: a command that does not exist is refused with exit code 1', async (words, sentence) => {
  const errors = `purveyor: ${sentence}\n`;
  expect(await runProgram(words.split(' ')).ended).toEqual({ code: 1, output: '', errors });
});

/** Milliseconds of processor time, told at the end. */
const toldAtExit =
  "process.on('exit',()=>{const{user,system}=process.cpuUsage();console.error('cpu',(user+system)/1000)})";

/** Of three runs the one that was least disturbed; what was compiled by the first is kept for the others. */
async function leastTime(run: () => Promise<Ended>): Promise<number> {
  const times: number[] = [];
  for (let runs = 0; runs < 3; runs += 1) {
    const { code, errors } = await run();
    expect(code).toBe(0);
    times.push(Number(/^cpu (.*)$/m.exec(errors)?.[1]));
  }
  return Math.min(...times);
}

const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(toldAtExit)}`;

/** Milliseconds, at best. */
function timeOf(words: string): Promise<number> {
  return leastTime(() => runProgram(words.split(' '), { NODE_OPTIONS }).ended);
}

test('Commands answer without the broker being loaded, in less than six times the time of Node itself, and those that read offering files soon after', async () => {
  const bare = await leastTime(() => runInGroup(process.execPath, ['-e', '0'], { NODE_OPTIONS }).ended);
  // 4 times as a rule, and more where others have the processor's caches.
  for (const words of ['--help', 'config', 'instances --help'])
    expect((await timeOf(words)) / bare).toBeLessThan(6);
  // Three and four times what help may take: what help does not take is no reason that these take less.
  for (const words of ['catalog lint catalog/redis.yaml', 'catalog render redis small'])
    expect((await timeOf(words)) / bare).toBeLessThan(18);
  expect((await timeOf('catalog lint catalog')) / bare).toBeLessThan(24);
});

test('A command that asks nobody does not load what speaks HTTP, which is a tenth of its time', async () => {
  const told = `import{registerHooks}from'node:module';registerHooks({resolve(name,from,next){
    if(/^node:https?$/.test(name))console.error('loaded by '+from.parentURL);return next(name,from)}})`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(told)}` };
  for (const words of ['--help', 'catalog lint catalog/redis.yaml'])
    expect(await runProgram(words.split(' '), env).ended).toMatchObject({ code: 0, errors: '' });
  // So that the test sees what it looks for.
  expect(
    (await runProgram(['check', 'http://127.0.0.1:1', '--password-from', 'env:PATH'], env).ended).errors,
  ).toContain('loaded by');
});

test('A Node that is too old is told in one sentence with the version that is needed', async () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const needed = engines.node.replace('>=', '');
  const pretend = "Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})";
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}` };
  expect(await runProgram(['--help'], env).ended).toEqual({
    code: 1,
    output: '',
    errors: `purveyor: Node ${needed} or later is needed; ${process.execPath} is 20.20.2.\n`,
  });
  // A name that is imported and not there would end it before its first line.
  expect(readFileSync('src/start.js', 'utf8')).toContain("import module from 'node:module';");
});
