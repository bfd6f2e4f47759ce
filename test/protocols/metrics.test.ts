import supertest from 'supertest';
import { Refusal } from '../../src/broker/errors.ts';
import { createServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { metrics } from '../../src/protocols/metrics/index.ts';

function serverWith(page: Parameters<typeof metrics>[0]) {
  const logins = [{ username: 'u', password: 'p' }];
  return supertest(
    createServer({ protocols: [metrics(page, { logins: () => logins })], logins, observe: () => undefined })
      .app,
  );
}

test('GET /metrics gives what was counted, in the format of Prometheus', async () => {
  const counts = createMetrics();
  counts.event({ type: 'trouble', doing: 'work', detail: 'x' });
  const answer = await serverWith(() => counts.page())
    .get('/metrics')
    .auth('u', 'p');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.text).toContain('purveyor_troubles_total 1');
});

test('The page of metrics needs the login', async () => {
  expect((await serverWith(() => createMetrics().page()).get('/metrics')).status).toBe(401);
});

test.each([
  [503, new Refusal('unavailable', 'Not now.'), 'Not now.'],
  [500, new Error('internals'), 'The broker could not answer this request.'],
])('A failure of the page of metrics is a %i with a sentence', async (status, error, description) => {
  const answer = await serverWith(() => Promise.reject(error))
    .get('/metrics')
    .auth('u', 'p');
  expect({ status: answer.status, body: answer.body as unknown }).toEqual({ status, body: { description } });
});
