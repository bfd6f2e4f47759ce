import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { idsOf, instancePlatform, pathOf, type Answer } from '../support/instance-platform.ts';
import {
  cloudController,
  eden,
  korifi,
  serviceCatalog,
  serviceManager,
  tsuru,
} from '../support/platform-requests.ts';
import { platformCalls, quick, sized, brief, endless } from './platform-calls.ts';
import type { Asked } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';

/** What real platforms send, one request after another or at once. */

const platform = instancePlatform({ SYNC_PATIENCE: '3s' }, { brokers: 2 });
const { ended, lastOperation, made, tracesOf, thingsOf, startAnother } = platform;
const { put, patch, remove, poll, bind, unbind, provisioned } = platformCalls(platform);

describe('Sequences', () => {
  /** Korifi's loop: the same request and one poll, until it is answered with something else than "accepted". */
  async function reconcile(once: () => Promise<Answer>, look: (operation?: string) => Promise<Answer>) {
    const operations = new Set<string | undefined>();
    for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
      const answer = await once();
      if (answer.status !== 202) return { last: answer, operations: [...operations] };
      operations.add(answer.body.operation);
      expect(await look(answer.body.operation)).toMatchObject({ status: expect.any(Number) });
      await wait(pause);
    }
  }

  test.concurrent(
    '10. The same PUT again and again is accepted as the same, and in the end answered in full [PLT-10, PRV-09, BND-05]',
    async () => {
      const id = randomUUID();
      const look = (operation?: string) => poll(id, korifi.poll(brief, operation));
      const { last, operations } = await reconcile(() => put(id, korifi.provision(brief)), look);
      expect(operations).toEqual([expect.any(String)]);
      expect(last).toMatchObject({ status: 200, body: { dashboard_url: expect.any(String) } });
      expect(await put(id, korifi.provision(quick))).toMatchObject({ status: 409 });

      const lookAtBinding = (operation?: string) =>
        poll(`${id}/service_bindings/b`, korifi.poll(brief, operation));
      const bound = await reconcile(() => bind(id, 'b', korifi.bindKey(brief)), lookAtBinding);
      expect(bound.operations).toEqual([expect.any(String)]);
      expect(bound.last).toMatchObject({ status: 200, body: { credentials: expect.any(Object) } });
      expect(await bind(id, 'b', korifi.bindKey(brief))).toEqual(
        expect.objectContaining({ body: bound.last.body }),
      );
    },
  );

  test.concurrent(
    '11. The same DELETE again and again is accepted as the same, and in the end it is gone [PLT-11, DEP-07, UNB-07]',
    async () => {
      const id = await provisioned(korifi.provision(brief));
      await bind(id, 'b', { ...korifi.bindKey(brief), query: {} });
      const lookAtBinding = (operation?: string) =>
        poll(`${id}/service_bindings/b`, korifi.poll(brief, operation));
      const unbound = await reconcile(() => unbind(id, 'b', korifi.remove(brief)), lookAtBinding);
      expect(unbound).toMatchObject({ operations: [expect.any(String)], last: { status: 410, body: {} } });
      const look = (operation?: string) => poll(id, korifi.poll(brief, operation));
      const gone = await reconcile(() => remove(id, korifi.remove(brief)), look);
      expect(gone).toMatchObject({ operations: [expect.any(String)], last: { status: 410, body: {} } });
    },
  );

  test('12. A DELETE of what was never seen is "gone" [PLT-12, DEP-02, UNB-02]', async () => {
    const unknown = { service_id: randomUUID(), plan_id: randomUUID() };
    const id = await provisioned(cloudController.provision(quick));
    for (const ids of [quick, unknown]) {
      expect(await remove(randomUUID(), cloudController.remove(ids))).toMatchObject({
        status: 410,
        body: {},
      });
      expect(await unbind(randomUUID(), 'b', cloudController.remove(ids))).toMatchObject({
        status: 410,
        body: {},
      });
      expect(await unbind(id, 'never', cloudController.remove(ids))).toMatchObject({ status: 410, body: {} });
    }
  });

  test('12. What was made of a plan that has left the catalog is served on, and can be deleted [PLT-12]', async () => {
    const id = await provisioned(cloudController.provision(sized));
    const later = await startAnother({ CATALOG_DIR: 'catalog', ASYNC_PATIENCE: '10s' });
    const at = async (method: 'put' | 'patch' | 'get' | 'delete', path: string, asked: Asked) =>
      (await later.ask(method, path, asked)).status;
    expect(await at('put', pathOf(randomUUID()), cloudController.provision(sized))).toBe(400);
    expect(await at('put', pathOf(id), cloudController.provision(sized))).toBe(200);
    expect(await at('put', pathOf(id, 'b'), cloudController.bindApp(sized, 'a'))).toBe(201);
    expect(await at('get', pathOf(id, 'b'), cloudController.fetch())).toBe(200);
    const change = cloudController.update(sized, { parameters: { size: 2 } });
    expect(await at('patch', pathOf(id), change)).toBe(200);
    expect(await at('get', pathOf(id), cloudController.fetch())).toBe(200);
    expect(await at('delete', pathOf(id, 'b'), cloudController.remove(sized))).toBe(200);
    expect(await at('delete', pathOf(id), cloudController.remove(sized))).toBe(200);
    expect(await at('delete', pathOf(id), cloudController.remove(sized))).toBe(410);
  });

  test.concurrent(
    '13. A DELETE during a create cancels it, during an update it is told to wait [PLT-13, DEP-08, DEP-09]',
    async () => {
      const id = randomUUID();
      const first = (await put(id, cloudController.provision(endless))).body.operation;
      const { status, body } = await remove(id, cloudController.remove(endless));
      expect([200, 202]).toContain(status);
      expect(body.operation).not.toBe(first);
      expect(await ended(id)).toMatchObject({ status: 410 });

      const waiting = put(id, { ...cloudController.provision(endless), query: {} });
      await until('it is there', async () => (await lastOperation(id)).body.state === 'in progress');
      expect([200, 202]).toContain((await remove(id, cloudController.remove(endless))).status);
      expect(await waiting).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
      expect(await ended(id)).toMatchObject({ status: 410 });

      const updating = await made('moments/endless-update');
      const ids = idsOf('moments/endless-update');
      await patch(updating, cloudController.update(ids, { parameters: { size: 2 } }));
      expect(await remove(updating, cloudController.remove(ids))).toMatchObject({
        status: 422,
        body: { error: 'ConcurrencyError' },
      });
    },
  );

  test.concurrent(
    '14. An id is free again after its DELETE, also when its create had failed [PLT-14, PRV-24, ORP-01]',
    async () => {
      const id = randomUUID();
      const failing = idsOf('moments/failing');
      for (let times = 0; times < 2; times += 1) {
        expect(await put(id, serviceCatalog.provision(failing))).toMatchObject({ status: 202 });
        expect((await ended(id, serviceCatalog.poll(failing).query)).body.state).toBe('failed');
        expect([200, 202]).toContain((await remove(id, serviceCatalog.remove(failing))).status);
        await ended(id);
      }
      expect(await put(id, serviceCatalog.provision(quick))).toMatchObject({ status: 201 });
      expect(await bind(id, 'b', serviceCatalog.bind(quick))).toMatchObject({ status: 201 });
      expect(await unbind(id, 'b', serviceCatalog.unbind(quick))).toMatchObject({ status: 200 });
      expect(await unbind(id, 'b', serviceCatalog.unbind(quick))).toMatchObject({ status: 410, body: {} });
      expect(await remove(id, serviceCatalog.remove(quick))).toMatchObject({ status: 200 });
    },
  );

  test.concurrent(
    '15. A create that failed goes on being failed, is never told as a success, and can be deleted [PLT-15, ORP-01]',
    async () => {
      const id = randomUUID();
      const failing = idsOf('moments/failing');
      for (let times = 0; times < 2; times += 1) {
        expect(await put(id, korifi.provision(failing))).toMatchObject({ status: 202 });
        await ended(id);
        const later = await poll(id, korifi.poll(failing));
        expect(later).toMatchObject({
          status: 200,
          body: { state: 'failed', description: 'It was not to be.' },
        });
      }
      expect([200, 202]).toContain((await remove(id, cloudController.remove(failing))).status);
    },
  );

  // It starts a broker, whose parts are loaded while a test runs.
  test('16. An operation is told long after its end, by brokers that were not there, and gone after the DELETE [PLT-16, LOP-04, LOP-10]', async () => {
    const id = randomUUID();
    const { operation = '' } = (await put(id, cloudController.provision(brief))).body;
    await ended(id, { operation });
    const restarted = await startAnother();
    const path = `${pathOf(id)}/last_operation`;
    const later = await restarted.ask('get', path, cloudController.poll(brief, operation));
    expect(later).toMatchObject({ status: 200, body: { state: 'succeeded' } });
    const removal = (await remove(id, serviceManager.remove(brief))).body.operation;
    await ended(id);
    const named = eden.poll(brief, removal ?? '');
    expect(await poll(id, named)).toMatchObject({ status: 200, body: { state: 'succeeded' } });
    expect(await restarted.ask('get', path, named)).toMatchObject({ status: 200 });
    for (const asked of [
      cloudController.poll(brief),
      serviceManager.poll(brief, operation),
      tsuru.poll(brief),
    ]) {
      expect(await poll(id, asked)).toMatchObject({ status: 410, body: {} });
      expect(await restarted.ask('get', path, asked)).toMatchObject({ status: 410 });
    }
  });

  test('17. Many apps are bound at once, and a space with many instances is emptied by several workers [PLT-17, CON-07]', async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => provisioned(cloudController.provision(quick))),
    );
    const apps = ['a', 'b', 'c', 'd'];
    const all = ids.flatMap((id) => apps.map((app) => [id, app] as const));
    const bound = await Promise.all(
      all.map(([id, app]) => bind(id, app, cloudController.bindApp(quick, app))),
    );
    expect(new Set(bound.map(({ status }) => status))).toEqual(new Set([201]));
    await Promise.all(
      ids.map(async (id) => {
        for (const app of apps) {
          expect(await unbind(id, app, cloudController.remove(quick))).toMatchObject({ status: 200 });
        }
        expect(await remove(id, cloudController.remove(quick))).toMatchObject({ status: 200 });
      }),
    );
  });

  test.concurrent(
    '18. A create that a platform has given up is cleaned up completely by its DELETE [PLT-18, ORP-03]',
    async () => {
      const id = randomUUID();
      const abandoned = put(id, { ...cloudController.provision(brief), query: {} });
      await until('it is there', async () => (await lastOperation(id)).body.state === 'in progress');
      expect([200, 202]).toContain((await remove(id, cloudController.remove(brief))).status);
      await ended(id);
      await abandoned;
      expect(await thingsOf(id)).toEqual([]);
      expect((await tracesOf(id)).filter((line) => !line.startsWith('operations '))).toEqual([]);
      expect(await remove(id, cloudController.remove(brief))).toMatchObject({ status: 410 });
    },
  );

  test('19. Hundreds of polls at once are answered [PLT-19, GLB-03]', async () => {
    const id = randomUUID();
    const { operation = '' } = (await put(id, korifi.provision(endless))).body;
    const started = performance.now();
    const polls = await Promise.all(
      Array.from({ length: 300 }, () => poll(id, korifi.poll(endless, operation))),
    );
    expect(performance.now() - started).toBeLessThan(50_000);
    expect(new Set(polls.map(({ status, body }) => `${status} ${body.state}`))).toEqual(
      new Set(['200 in progress']),
    );
    await remove(id, korifi.remove(endless));
  });
});
