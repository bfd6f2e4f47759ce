import supertest from 'supertest';
import { createServer } from '../../src/http/server.ts';
import { health, type Readiness } from '../../src/protocols/health/index.ts';

function probing(readiness: () => Promise<Readiness>) {
  const { app } = createServer({ protocols: [health(readiness)], logins: [], observe: () => undefined });
  return supertest(app);
}

test('A broker that is ready says so to everybody.', async () => {
  const probe = probing(() => Promise.resolve({ ready: true }));
  const answer = await probe.get('/readyz');
  expect([answer.status, answer.body]).toEqual([200, {}]);
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'application/json' });
});

test('A broker that is ready and has something to say is ready all the same.', async () => {
  const probe = probing(() => Promise.resolve({ ready: true, note: 'Something lacks.' }));
  const answer = await probe.get('/readyz');
  expect([answer.status, answer.body]).toEqual([200, { note: 'Something lacks.' }]);
});

test('A broker that is not ready says why, and is alive all the same.', async () => {
  const probe = probing(() => Promise.resolve({ ready: false, reason: 'the database is away' }));
  const answer = await probe.get('/readyz');
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('5');
  expect(answer.body).toEqual({
    reason: 'the database is away',
    description: 'The broker cannot serve now: the database is away.',
  });
  expect((await probe.get('/healthz')).status).toBe(200);
});

test('A broker that cannot tell gives no detail away.', async () => {
  const probe = probing(() => Promise.reject(new Error('password wrong')));
  const answer = await probe.get('/readyz');
  expect([answer.status, answer.text.includes('password')]).toEqual([500, false]);
});

test('Other methods are 405 without a login.', async () => {
  const answer = await probing(() => Promise.resolve({ ready: true })).post('/healthz');
  expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
});
