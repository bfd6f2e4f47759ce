import { Refusal } from '../../src/broker/errors.ts';
import { untilAvailable } from '../../src/program/opening/until-available.ts';

const away = new Refusal('unavailable', 'The database is away.');

test('A task is tried again until the database is there, and the waiting is told once', async () => {
  let tries = 0;
  let told = 0;
  const patience = { onWait: () => void (told += 1), signal: new AbortController().signal };
  const result = await untilAvailable(patience, async () => {
    tries += 1;
    if (tries < 3) throw away;
    return 'done';
  });
  expect({ result, tries, told }).toEqual({ result: 'done', tries: 3, told: 1 });
});

test('What is not about the reach of the database is thrown at once', async () => {
  const patience = { onWait: () => undefined, signal: new AbortController().signal };
  await expect(untilAvailable(patience, () => Promise.reject(new Error('mistake')))).rejects.toThrow(
    'mistake',
  );
});

test('A cancelled wait for the database ends with what the last try threw', async () => {
  const cancel = new AbortController();
  const patience = { onWait: () => cancel.abort(), signal: cancel.signal };
  await expect(untilAvailable(patience, () => Promise.reject(away))).rejects.toBe(away);
  await expect(untilAvailable(patience, () => Promise.resolve())).rejects.toThrow(/abort/);
});
