import { incomplete, operationIn, trialPlatform, type Instance } from '../support/trial-platform.ts';

/** What no platform has asked for, met by what platforms ask; on Postgres, asked of two brokers in turn. */

const { binding, bind, database, deprovision, instance, unbind, update } = trialPlatform({}, { brokers: 2 });

/** As if it had been asked for by somebody whom no platform knows. */
async function disown({ id }: Instance, operation: string, protocol: string): Promise<void> {
  const { rowCount } = await database().pool.query(
    'update operations set origin = $3 where instance_id = $1 and id = $2',
    [id, operation, JSON.stringify({ protocol })],
  );
  expect(rowCount).toBe(1);
}

const cloudController = { 'x-api-info-location': 'api.example.com/v2/info' };

test.each([['operator'], ['monitor'], ['broker']])(
  'An operation of the %s that outlasts patience makes a request come again, and is no final answer; Cloud Controller is told that it is busy.',
  async (protocol) => {
    const on = await instance('moments/endless-update');
    const { path, instance: of } = await binding(on);
    const { operation = '' } = operationIn(
      await update(on, { query: incomplete, body: { parameters: { size: 2 } } }),
    );
    const ways = [
      (sent: object) => bind(on, { query: incomplete, ...sent }),
      (sent: object) => unbind({ path, instance: of }, { query: incomplete, ...sent }),
      (sent: object) => update(on, { query: incomplete, ...sent, body: { parameters: { size: 3 } } }),
      (sent: object) => deprovision(on, { query: incomplete, ...sent }),
    ];
    for (const ask of ways)
      expect(await ask({})).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    await disown(on, operation, protocol);
    for (const ask of ways) {
      const answer = await ask({});
      expect({ status: answer.status, body: answer.body as unknown }).toEqual({
        status: 503,
        body: {
          error: 'ServiceUnavailable',
          description:
            'The service instance is being looked after by those who run it (update). Try again in a moment.',
        },
      });
      expect(answer.headers['retry-after']).toBe('5');
      expect(await ask({ headers: cloudController })).toMatchObject({
        status: 422,
        body: { error: 'ConcurrencyError' },
      });
    }
  },
);

test('A DELETE of an instance waits for an unbind of the broker itself.', async () => {
  const on = await instance('moments/brief-removal');
  const first = await unbind(await binding(on), { query: incomplete });
  await disown(on, operationIn(first)['operation'] ?? '', 'broker');
  expect(await deprovision(on)).toMatchObject({ status: 200 });
});

test('An update of an instance waits for an unbind of the broker itself.', async () => {
  const on = await instance('moments/brief-removal');
  const made = await binding(on);
  const { operation = '' } = operationIn(await unbind(made, { query: incomplete }));
  await disown(on, operation, 'broker');
  expect(await update(on, { body: { parameters: { size: 2 } } })).toMatchObject({ status: 200 });
});
