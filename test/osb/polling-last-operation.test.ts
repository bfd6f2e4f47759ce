import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { idsOf, instancePlatform, type Answer } from '../support/instance-platform.ts';

/** spec.md, Polling Last Operation for Service Instances, and for Service Bindings. */

const platform = instancePlatform();
const { provision, update, deprovision, fetch, bind, unbind, fetchBinding, lastOperation, ended, made } =
  platform;

const sync = true;
const bindingOf = (id: string, bindingId: string) => `${id}/service_bindings/${bindingId}`;

describe('The last operation of an instance', () => {
  test('The last operation of an instance while it is in the making is there, in progress and described, with every hint [LOP-03, LOP-01, LOP-06, LOP-08]', async () => {
    const id = randomUUID();
    const { operation = '' } = (await provision(id, 'moments/endless')).body;
    const queries = [
      {},
      { operation },
      { ...idsOf('moments/endless') },
      { ...idsOf('moments/endless'), operation },
      { ...idsOf('bare/only'), operation },
      { service_id: '', plan_id: '', operation },
    ];
    for (const query of queries) {
      const { status, body } = await lastOperation(id, query);
      expect({ status, body }).toEqual({
        status: 200,
        body: { state: 'in progress', description: expect.stringMatching(/./) },
      });
    }
    await deprovision(id, 'moments/endless');
  });

  test.concurrent(
    'The last operation of an instance tells how it goes on, and in the end that it has succeeded [LOP-01, LOP-05]',
    async () => {
      const id = randomUUID();
      await provision(id, 'trial-timing/steps');
      const told = new Set<string | undefined>();
      let last: Answer;
      do {
        last = await lastOperation(id);
        told.add(last.body.description);
        await wait(50);
      } while (last.body.state === 'in progress');
      expect(last).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      expect([...told]).toEqual(expect.arrayContaining(['Step 1 of 4', 'Step 4 of 4']));
      expect(await fetch(id)).toMatchObject({ status: 200 });
    },
  );

  test('The last operation of an instance that never was is 404, with and without an operation [LOP-02]', async () => {
    const hints = { ...idsOf('moments/brief') };
    for (const query of [{}, hints, { ...hints, operation: randomUUID() }]) {
      expect(await lastOperation(randomUUID(), query)).toMatchObject({ status: 404 });
    }
  });

  test.concurrent(
    'The last operation of an instance is remembered, however often it is asked for and whatever came after it [LOP-04]',
    async () => {
      const id = randomUUID();
      const create = (await provision(id, 'moments/brief')).body.operation ?? '';
      await ended(id, { operation: create });
      for (let times = 0; times < 3; times += 1) {
        expect(await lastOperation(id, { operation: create })).toMatchObject({
          body: { state: 'succeeded' },
        });
      }
      const change = await update(id, 'moments/brief', { body: { parameters: { size: 2 } } });
      expect(await lastOperation(id, { operation: create })).toMatchObject({ body: { state: 'succeeded' } });
      expect(await lastOperation(id)).toMatchObject({ body: { state: 'in progress' } });
      await ended(id, { operation: change.body.operation ?? '' });
    },
  );

  test('The last operation of an instance that was made at once has succeeded [LOP-09]', async () => {
    const id = randomUUID();
    await provision(id, 'trial-timing/quick', { sync });
    expect(await lastOperation(id)).toMatchObject({ status: 200, body: { state: 'succeeded' } });
  });

  test.each<[what: string, operation: string]>([
    ['unknown', 'unknown'],
    ['empty', ''],
    ['long', 'x'.repeat(5000)],
    ['a NUL', '\0'],
    ['special characters', '%&=?/#+"\' \u{1F600}'],
    ['__proto__', '__proto__'],
  ])(
    'The last operation of an instance named by an operation that is %s breaks nothing [LOP-07]',
    async (_what, operation) => {
      const id = randomUUID();
      await provision(id, 'trial-timing/quick', { sync });
      const { status } = await lastOperation(id, { operation });
      // Cloud Controller takes a 400 for a failed operation.
      expect([200, 404]).toContain(status);
    },
  );

  test.concurrent(
    'The last operation of an instance after a slow removal has succeeded for those who name it, and is gone for all others [LOP-10, LOP-11]',
    async () => {
      const id = randomUUID();
      const create = (await provision(id, 'moments/brief')).body.operation ?? '';
      await ended(id);
      const removal = (await deprovision(id, 'moments/brief')).body.operation ?? '';
      await ended(id, { operation: removal });
      expect(await lastOperation(id, { operation: removal })).toMatchObject({
        status: 200,
        body: { state: 'succeeded' },
      });
      for (const query of [
        { operation: 'unknown' },
        {},
        { operation: create },
        { ...idsOf('moments/brief') },
      ]) {
        expect(await lastOperation(id, query)).toMatchObject({ status: 410, body: {} });
      }
      expect(await deprovision(id, 'moments/brief')).toMatchObject({ status: 410 });
      expect(await fetch(id)).toMatchObject({ status: 404 });
    },
  );

  test.concurrent(
    'The last operation of an instance that failed says so in the words of the service, with nothing of an update [LOP-01, ORP-01]',
    async () => {
      const id = randomUUID();
      await provision(id, 'moments/failing');
      expect((await ended(id)).body).toEqual({ state: 'failed', description: 'It was not to be.' });
    },
  );

  test.concurrent(
    'The last operation of an instance that is tried again says so, and not why [LOP-01, LOP-08]',
    async () => {
      const id = randomUUID();
      const { operation = '' } = (await provision(id, 'trial-timing/broken')).body;
      let told = '';
      while (!told.includes('tried again')) {
        const { body } = await lastOperation(id, { operation });
        if (body.state !== 'in progress') break;
        told = body.description ?? '';
      }
      expect(told).toBe(
        'Provisioning the service instance is in progress. The last try did not work; it is being tried again.',
      );
    },
  );

  test.concurrent(
    'The last operation of an instance that takes longer than its plan allows has failed [LOP-01, LOP-04]',
    async () => {
      const id = randomUUID();
      await provision(id, 'moments/limited');
      expect((await ended(id)).body).toMatchObject({
        state: 'failed',
        description: expect.stringContaining('5 seconds'),
      });
      expect(await fetch(id)).toMatchObject({ status: 404 });
    },
  );
});

describe('Retry-After', () => {
  test('Retry-After is a number of seconds while something is in progress, for instances and bindings [LOP-12, LOP-13]', async () => {
    const id = randomUUID();
    await provision(id, 'moments/endless');
    expect((await lastOperation(id)).headers['retry-after']).toMatch(/^[1-9]\d*$/);
    await deprovision(id, 'moments/endless');

    const instance = await made('moments/endless-bind');
    await bind(instance, 'b', 'moments/endless-bind');
    expect((await lastOperation(bindingOf(instance, 'b'))).headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  test('Retry-After is not there when all is done [LOP-12]', async () => {
    const id = await made('trial-timing/quick');
    expect((await lastOperation(id)).headers).not.toHaveProperty('retry-after');
  });
});

describe('The last operation of a binding', () => {
  test('The last operation of a binding while it is in the making is there and in progress, with every hint [LOB-03, LOB-01, LOB-06]', async () => {
    const id = await made('moments/endless-bind');
    const { operation = '' } = (await bind(id, 'b', 'moments/endless-bind')).body;
    const hints = { ...idsOf('moments/endless-bind') };
    for (const query of [
      {},
      { operation },
      hints,
      { ...hints, operation },
      { operation: 'unknown' },
      { operation: '' },
    ]) {
      const { status, body } = await lastOperation(bindingOf(id, 'b'), query);
      expect({ status, body }).toEqual({
        status: 200,
        body: { state: 'in progress', description: expect.any(String) },
      });
    }
  });

  test.concurrent(
    'The last operation of a binding has succeeded when the binding is there, and goes on saying so [LOB-01, LOB-04]',
    async () => {
      const id = await made('moments/brief');
      const { status, body } = await bind(id, 'b', 'moments/brief');
      expect({ status, body }).toEqual({ status: 202, body: { operation: expect.any(String) } });
      const { operation = '' } = body;
      await ended(bindingOf(id, 'b'), { operation });
      for (let times = 0; times < 3; times += 1) {
        const poll = await lastOperation(bindingOf(id, 'b'), { operation });
        expect(poll).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      }
      expect(await fetchBinding(id, 'b')).toMatchObject({
        status: 200,
        body: { credentials: expect.any(Object) },
      });
    },
  );

  test.concurrent(
    'The last operation of a binding after a slow unbind has succeeded for those who name it, else is gone [LOB-05, LOB-01]',
    async () => {
      const id = await made('moments/brief-removal');
      await bind(id, 'b', 'moments/brief-removal', { sync });
      const { status, body } = await unbind(id, 'b', 'moments/brief-removal');
      expect(status).toBe(202);
      const { operation = '' } = body;
      expect(await lastOperation(bindingOf(id, 'b'), { operation })).toMatchObject({
        body: { state: 'in progress' },
      });
      expect(await ended(bindingOf(id, 'b'), { operation })).toMatchObject({ body: { state: 'succeeded' } });
      expect(await lastOperation(bindingOf(id, 'b'))).toMatchObject({ status: 410 });
      expect(await unbind(id, 'b', 'moments/brief-removal')).toMatchObject({ status: 410 });
    },
  );

  test.concurrent(
    'The last operation of a binding that failed says so without flags [LOB-01, ORP-02]',
    async () => {
      const id = await made('moments/failing-bind');
      await bind(id, 'b', 'moments/failing-bind');
      expect((await ended(bindingOf(id, 'b'))).body).toEqual({
        state: 'failed',
        description: 'It would not bind.',
      });
    },
  );

  test('The last operation of a binding that never was is 404: no instance, no binding, the binding of another instance [LOB-02, LOB-02.sync]', async () => {
    const [id, another] = [await made('trial-timing/quick'), await made('trial-timing/quick')];
    await bind(id, 'mine', 'trial-timing/quick', { sync });
    for (const path of [
      bindingOf(randomUUID(), 'mine'),
      bindingOf(id, 'other'),
      bindingOf(another, 'mine'),
    ]) {
      expect(await lastOperation(path)).toMatchObject({ status: 404 });
      expect(await lastOperation(path, { operation: randomUUID() })).toMatchObject({ status: 404 });
    }
    expect(await lastOperation(bindingOf(id, 'mine'))).toMatchObject({ body: { state: 'succeeded' } });
  });

  test('The last operation of a binding is not that of its instance, and the other way round [LOB-02]', async () => {
    const id = await made('moments/endless-bind');
    const { operation = '' } = (await bind(id, 'b', 'moments/endless-bind')).body;
    expect(await lastOperation(id, { operation })).toMatchObject({ body: { state: 'succeeded' } });
    expect(await lastOperation(id)).toMatchObject({ body: { state: 'succeeded' } });
  });
});
