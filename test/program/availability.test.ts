import type { Runtime } from '../../src/program/runtime.ts';
import type { Broker } from '../../src/broker/broker.ts';
import { Refusal } from '../../src/broker/errors.ts';
import { createAvailability } from '../../src/program/availability.ts';
import { lateBroker } from '../../src/program/late.ts';

function foundation(ping: () => Promise<void>): Runtime {
  const keys = () => ({ writes: '1', behind: [], missing: [] });
  return { store: { ping }, keys } as unknown as Runtime;
}

test('Before the broker is open requests are refused with the reason, which the probe tells too', async () => {
  const availability = createAvailability('its database is starting');
  expect(() => availability.requireFoundation()).toThrow(
    new Refusal(
      'unavailable',
      'The service broker cannot serve now: its database is starting. Try again later.',
    ),
  );
  expect(await availability.readiness()).toEqual({ ready: false, reason: 'its database is starting' });
});

test('Once the broker is open the database decides whether it is ready', async () => {
  const availability = createAvailability('starting');
  let isThere = true;
  availability.open(foundation(() => (isThere ? Promise.resolve() : Promise.reject(new Error('gone')))));
  expect(await availability.readiness()).toEqual({ ready: true });
  isThere = false;
  expect(await availability.readiness()).toEqual({ ready: false, reason: 'its database cannot be reached' });
});

test('While the broker shuts down it is not ready, but serves what still comes', async () => {
  const availability = createAvailability('starting');
  const open = foundation(() => Promise.resolve());
  availability.open(open);
  availability.close();
  expect(await availability.readiness()).toEqual({ ready: false, reason: 'it is shutting down' });
  expect(availability.requireFoundation()).toBe(open);
});

test('What stands in for the broker finds it when it is called, also when its overview was taken out before', () => {
  let real: Broker | undefined;
  const broker = lateBroker(() => {
    if (!real) throw new Error('not yet');
    return real;
  });
  const { overview } = broker;
  expect(() => broker.catalog()).toThrow('not yet');
  expect(() => overview.offerings()).toThrow('not yet');
  const known = { offerings: [], loadedAt: new Date() };
  real = { catalog: () => known, overview: { offerings: () => [] } } as unknown as Broker;
  expect(broker.catalog()).toBe(known);
  expect(overview.offerings()).toEqual([]);
});
