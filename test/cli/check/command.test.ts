import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { caseGroups } from '../../../src/cli/check/cases.ts';
import { junitOf } from '../../../src/cli/check/report/junit.ts';
import { listOf } from '../../../src/cli/check/report/list.ts';
import type { ShownExchange } from '../../../src/cli/check/report/mask.ts';
import type { ConformanceReport, ReportedCase } from '../../../src/cli/check/report/report.ts';
import { findExecutable } from '../../../src/system/executables.ts';
import { tableAfter } from '../../support/page-table.ts';
import { must, should, beyond } from '../../support/requirements.ts';
import { runProgram, type Ended } from '../../support/run-program.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { smallCatalog } from './small-catalog.ts';
import { smallLogin, startSmallBroker, type SmallBroker, type SmallOptions } from './small-broker.ts';

const scratch = scratchDirectory('check');
const passwordFile = join(scratch, 'password');
writeFileSync(passwordFile, `${smallLogin.password}\n`);

let broker: SmallBroker | undefined;
afterEach(async () => {
  await broker?.stop();
  broker = undefined;
});

const login = ['--user', smallLogin.username, '--password-from', passwordFile];

async function check(options: SmallOptions, ...words: readonly string[]): Promise<Ended> {
  broker = await startSmallBroker(options);
  return runProgram(['check', broker.url, ...login, ...words]).ended;
}

test('The page about conformance lists the cases that there are.', () => {
  const page = readFileSync('docs/conformance.md', 'utf8');
  const expected = listOf(caseGroups).map(({ id, level, requirement, section }) => [
    `\`${id}\``,
    level,
    requirement,
    section,
  ]);
  expect(tableAfter(page, 'cases').rows).toEqual(expected);
});

test('Every requirement is a case of its level, or one that says why nobody sees it from outside, and none is two.', () => {
  const levels: Readonly<Record<string, string>> = {
    // It asks for nothing, so the broker is not held to it.
    'HDR-12': 'MAY',
    ...Object.fromEntries(Object.keys(must).map((id) => [id, 'MUST'])),
    ...Object.fromEntries(Object.keys(should).map((id) => [id, 'SHOULD'])),
    ...Object.fromEntries(Object.keys(beyond).map((id) => [id, 'beyond'])),
  };
  const beyondIt = ['MAY', 'CC', 'HARD'];
  const told = listOf(caseGroups).map(({ id, level }) =>
    [id, beyondIt.includes(level) && id !== 'HDR-12' ? 'beyond' : level].join(' '),
  );
  expect(told.toSorted()).toEqual(
    Object.entries(levels)
      .map((one) => one.join(' '))
      .toSorted(),
  );
});

test('What nobody sees from outside stands in one list, each with its reason.', () => {
  const unseen = listOf(caseGroups).filter(({ untestable }) => untestable !== undefined);
  expect(unseen.filter(({ group }) => group !== 'unseen')).toEqual([]);
  for (const { untestable } of unseen) expect(untestable).toMatch(/^[A-Z].+\.$/);
});

test('The command check --list names every case without asking a broker, also as JSON.', async () => {
  const { code, output } = await runProgram(['check', '--list', '--only', 'AUT']).ended;
  expect(code).toBe(0);
  expect(output).toMatch(
    /^CASE +LEVEL +REQUIREMENT +SECTION\nAUT-01 +MUST +Every endpoint asks for a login\. /,
  );
  const json = await runProgram(['check', '--list', '--json', '--only', 'AUT-06']).ended;
  expect(JSON.parse(json.output)).toEqual([expect.objectContaining({ id: 'AUT-06', level: 'HARD' })]);
});

test('The command check tells people of each case, says how many hold, and ends with 0.', async () => {
  const { code, output, errors } = await check({}, '--only', 'AUT');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toMatch(/^ok {6} AUT-01 +MUST +Every endpoint asks for a login\.\n/);
  expect(output).toMatch(/PASSED +FAILED +WARNED +NOT APPLICABLE +NOT TESTABLE\n9 +0 +0 +0 +0\n$/);
});

test('The command check ends with 1 where a MUST does not hold, and with --strict where a SHOULD does not.', async () => {
  const wrong = await check({ faults: ['any-password'] }, '--only', 'AUT');
  expect(wrong.code).toBe(1);
  expect(wrong.output).toContain('FAILED   AUT-02');
  await broker?.stop();
  expect((await check({ faults: ['no-challenge'] }, '--only', 'AUT')).code).toBe(0);
  await broker?.stop();
  expect((await check({ faults: ['no-challenge'] }, '--only', 'AUT', '--strict')).code).toBe(1);
});

test.each([
  ['a broker that is not there', ['http://127.0.0.1:1', ...login], 'cannot be reached'],
  [
    'a wrong password',
    ['<broker>', '--password-from', 'env:WRONG'],
    'does not know this user name and password',
  ],
  [
    'a plan that is not sold',
    ['<broker>', ...login, '--plan', 'gold'],
    'does not sell any offering/gold. It sells: store/small',
  ],
  ['no address', login, 'check needs <url>'],
  ['no password', ['<broker>'], 'check needs --password-from'],
  [
    'a file of a password that is not there',
    ['<broker>', '--password-from', '/nowhere'],
    'cannot read /nowhere',
  ],
  ['an option that there is not', ['<broker>', ...login, '--onyl', 'AUT'], "no option '--onyl'"],
  ['a value that cannot be', ['<broker>', ...login, '--api-version', '3.0'], '--api-version'],
  ['two addresses', ['<broker>', '<broker>', ...login], 'check takes one argument'],
  ['cases that there are not', ['<broker>', ...login, '--only', 'XYZ'], '--only names no case'],
])('The command check ends with 2 and a sentence for %s.', async (_what, words, sentence) => {
  broker = await startSmallBroker();
  const url = broker.url;
  const given = words.map((word) => (word === '<broker>' ? url : word));
  const { code, output, errors } = await runProgram(['check', ...given], { WRONG: 'not-it' }).ended;
  expect({ code, output }).toEqual({ code: 2, output: '' });
  expect(errors).toContain(sentence);
});

test.each([
  [
    'a page',
    200,
    'text/html',
    '<!doctype html><title>Welcome</title>',
    'with no JSON object. Is it the address',
  ],
  ['a list', 200, 'application/json', '[]', 'with no JSON object. Is it the address'],
  [
    'a page that is not there',
    404,
    'text/html',
    'Not found',
    'with status 404. Is it the address of a broker',
  ],
  ['a failure', 503, 'text/plain', 'Later', 'with status 503. Is it the address of a broker'],
  ['another address', 302, 'text/plain', '', 'leads GET /v2/catalog to https://elsewhere.test/: check that'],
])(
  'The command check ends with 2 and a sentence where %s is in place of a broker.',
  async (_what, status, type, body, sentence) => {
    const server = createServer((_request, response) => {
      const location = status === 302 ? { location: 'https://elsewhere.test/' } : {};
      response.writeHead(status, { 'content-type': type, ...location }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const { code, output, errors } = await runProgram(['check', `http://127.0.0.1:${port}`, ...login])
        .ended;
      expect({ code, output }).toEqual({ code: 2, output: '' });
      expect(errors).toContain(sentence);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  },
);

test('The command check ends with 2 when nothing answers within its limit.', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const words = [`http://127.0.0.1:${port}`, ...login, '--answer-limit', '1s'];
    const { code, errors } = await runProgram(['check', ...words]).ended;
    expect(code).toBe(2);
    expect(errors).toContain('cannot be reached: no answer within 1 s.');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('The command check ends when a broker has gone, and does not ask it all the rest.', async () => {
  const gone = await startSmallBroker({ faults: ['goes-away'] });
  try {
    const { code, output } = await runProgram(['check', gone.url, ...login, '--only', 'PRV']).ended;
    expect(code).toBe(1);
    expect(output).toMatch(/^FAILED {3}PRV-01 .* got no answer: the connection was closed without one\.$/m);
    expect(output).toContain('The run ended before its end. The broker does not answer any more.');
  } finally {
    await gone.stop();
  }
});

test('The command check ends when a broker answers for its catalog and for nothing else.', async () => {
  const catalog = JSON.stringify(smallCatalog());
  const server = createServer((request, response) => {
    if (request.url === '/v2/catalog') response.setHeader('content-type', 'application/json').end(catalog);
    else request.socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const words = ['check', `http://127.0.0.1:${port}`, ...login, '--only', 'PRV'];
    const { code, output } = await runProgram(words).ended;
    expect(code).toBe(1);
    expect(output).toMatch(/^FAILED {3}PRV-01 .* got no answer: the connection was closed without one\.$/m);
    expect(output).toContain(
      'The run ended before its end. The broker answers for its catalog, but not to the deletion of an instance that is not there.',
    );
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('The command check looks at nothing but the catalog where no plan is sold, and says so.', async () => {
  const spoil: SmallOptions['spoil'] = (catalog) => catalog.services.splice(0);
  const { code, output } = await check({ spoil });
  expect(code).toBe(2);
  expect(output).toMatch(/^warning {2}CAT-40 /m);
  expect(output).toContain('version 2.17, no plan: ');
  expect(output).toContain('The run ended before its end. The catalog of the broker has no plan with an id.');
});

test('The command check sends as many requests at once as it is told.', async () => {
  const { code, output } = await check({}, '--at-once', '50', '--only', 'CON-01', '--json');
  expect(code).toBe(0);
  const report = JSON.parse(output) as ConformanceReport;
  const sent = report.cases[0]?.exchanges.filter(({ request }) => request.method === 'PUT');
  // One more is an instance that shows that it can be done.
  expect(sent).toHaveLength(51);
});

test('The report as JSON shows every exchange, and neither the password nor credentials.', async () => {
  const { code, output } = await check({}, '--json', '-p', '{"size":77123}');
  expect(code).toBe(0);
  const report = JSON.parse(output) as ConformanceReport;
  expect(report).toMatchObject({ apiVersion: '2.17', offering: 'store', plan: 'small', left: [] });
  const provision = report.cases.find(({ id }) => id === 'PRV-01')?.exchanges[0];
  expect(provision).toMatchObject({
    request: {
      method: 'PUT',
      path: expect.stringMatching(/accepts_incomplete=true$/),
      body: { parameters: { size: '***' } },
    },
    answer: { status: 201, body: { dashboard_url: '***' } },
  });
  for (const secret of [
    smallLogin.password,
    Buffer.from(`small:${smallLogin.password}`).toString('base64'),
    '77123',
  ])
    expect(output).not.toContain(secret);
});

test('The report as JUnit has a suite for each group, failures with their exchanges, and what was skipped.', async () => {
  const file = join(scratch, 'junit.xml');
  await check({ faults: ['any-password'] }, '--junit', file, '--only', 'AUT,PRV-25');
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="[^"]+" tests="10" failures="1" /,
  );
  expect(text).toMatch(/<testsuite name="authentication" tests="9" failures="1" errors="0" skipped="0" /);
  expect(text).toMatch(
    /<testcase name="AUT-02 [^"]+"[^>]*><failure message="MUST: A wrong login was answered 200; [^"]+" type="MUST">/,
  );
  expect(text).toMatch(
    /<testcase name="PRV-25 [^"]+"[^>]*><skipped message="Only the service itself can tell\."/,
  );
});

const xmllint = findExecutable(process.env['PATH'] ?? '', 'xmllint');

(xmllint === undefined ? test.skip : test)(
  'The report as JUnit has the form that CI servers hold such files to, whatever brokers say.',
  () => {
    const verdicts = ['passed', 'failed', 'warned', 'not applicable', 'not testable'] as const;
    const odd = 'a "quoted" <tag> & \u0000 \u001B[31m \uFFFF \uD800 ]]> ü 😀';
    const exchange = {
      request: { method: 'PUT', path: odd },
      answer: undefined,
      failure: odd,
    } as unknown as ShownExchange;
    const cases = verdicts.map((verdict, index): ReportedCase => {
      const reason = verdict === 'passed' ? undefined : odd;
      const shared = {
        level: 'MUST',
        group: index < 3 ? 'one' : 'two',
        section: '§',
        requirement: odd,
      } as const;
      return { id: `X-${index}`, ...shared, verdict, reason, ms: 1_234_567 * index, exchanges: [exchange] };
    });
    const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 1])) as ConformanceReport['counts'];
    const plan = { broker: `http://${odd}`, apiVersion: '2.17', offering: odd, plan: odd };
    const report = { ...plan, requests: 5, ms: 3_600_000, counts, cases, left: [], stopped: odd };
    const file = join(scratch, 'formal.xml');
    writeFileSync(file, junitOf(report));
    const schema = join(import.meta.dirname, 'junit.xsd');
    const { status, stderr } = spawnSync(xmllint ?? '', ['--noout', '--nonet', '--schema', schema, file]);
    expect({ status, said: stderr.toString().trim() }).toEqual({ status: 0, said: `${file} validates` });
  },
);

test('The command check ends at its limit of requests with 2, says so, and removes what it has made.', async () => {
  const { code, output } = await check({}, '--request-limit', '40', '--only', 'PRV');
  expect(code).toBe(2);
  expect(output).toContain('The run ended before its end. The requests of the run are used up.');
  expect(broker?.state.instances.size).toBe(0);
});

test('The command check names what it could not remove.', async () => {
  const { code, output } = await check({ faults: ['never-deletes'], slow: false }, '--only', 'PRV-01');
  expect(code).toBe(0);
  expect(output).not.toContain('Left at the broker');
  await broker?.stop();
  const refused = await check({ faults: ['refuses-to-delete'] }, '--only', 'PRV-01');
  expect(refused.output).toMatch(
    /Left at the broker: \/v2\/service_instances\/\S+\. Its deletion was answered 403\./,
  );
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'The command check removes what it has made when it is ended by %s, and then ends with 2.',
  async (signal) => {
    broker = await startSmallBroker({ slow: true });
    const running = runProgram(['check', broker.url, ...login, '--only', 'PRV']);
    const { state } = broker;
    await until('an instance is there', () => state.instances.size > 0);
    running.signal(signal);
    const { code, output } = await running.ended;
    expect(code).toBe(2);
    expect(output).toContain('The run ended before its end. It was stopped.');
    expect(state.instances.size).toBe(0);
  },
);
