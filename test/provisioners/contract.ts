import { Ajv } from 'ajv';
import type { Making, Operating, ServicePlan } from '../../src/broker/catalog.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import { keyOf } from '../../src/broker/key.ts';
import type { Made, Provisioner, Work } from '../../src/broker/provisioner.ts';
import { aBinding, anInstance, aPlan } from '../broker/fixtures.ts';

/** What every provisioner keeps to, whatever it makes. */

export interface Subject {
  readonly provisioner: Provisioner;
  /** Of a plan as an offering file of this provisioner may have it. */
  readonly making?: Partial<Making>;
  readonly operating?: Partial<Operating>;
  /** Removes what the tests made around the provisioner. */
  close?(): Promise<void>;
}

export function describeProvisioner(name: string, make: () => Promise<Subject> | Subject): void {
  describe(`As every provisioner, ${name}`, () => {
    let subject: Subject;
    let provisioner: Provisioner;
    let plan: ServicePlan;
    beforeAll(async () => {
      subject = await make();
      ({ provisioner } = subject);
      const making = { ...subject.making, provisioner: provisioner.name };
      plan = aPlan({ making, ...(subject.operating ? { operating: subject.operating } : {}) });
    });
    afterAll(() => subject.close?.());

    const workOn = (instanceId: string, bindingId?: string) => aWork({ plan, instanceId, bindingId });
    const listed = async () => (await provisioner.inventory?.()) ?? [];
    /** What was found of the instance, by its id or its key. */
    const found = async (instanceId: string) =>
      (await listed()).filter((thing) => thing.instanceId === instanceId || thing.key === keyOf(instanceId));

    test('A provisioner describes its part of an offering file by schemas that the plan fits.', () => {
      const { config, settings = {} } = provisioner.traits;
      expect(new Ajv({ allErrors: true }).validate(config, plan.making.config)).toBe(true);
      expect(new Ajv({ allErrors: true }).validate(settings, plan.making.settings)).toBe(true);
    });

    test('A provisioner refuses words that it does not know in its part of an offering file.', () => {
      const unknown = { 'a-word-that-nobody-knows': true };
      const { config, settings } = provisioner.traits;
      expect(new Ajv().validate(config, unknown)).toBe(false);
      if (settings) expect(new Ajv().validate(settings, unknown)).toBe(false);
    });

    test('A provisioner gives the facts it declares, and none that would hide those of the broker.', async () => {
      const work = workOn('facts', 'b1');
      const made = await finish(provisioner, 'provision', work);
      const bound = provisioner.bind && (await finish(provisioner, 'bind', work));
      await finish(provisioner, 'deprovision', work);
      const given = [...Object.keys(made.facts ?? {}), ...Object.keys(bound?.facts ?? {})];
      expect(provisioner.traits.roots).toEqual(expect.arrayContaining(given));
      expect(provisioner.traits.roots.filter((root) => rootsOfTheBroker.includes(root))).toEqual([]);
    });

    test('A provisioner makes one instance when it is told twice to provision it.', async () => {
      const work = workOn('twice');
      const first = await finish(provisioner, 'provision', work);
      expect(await finish(provisioner, 'provision', work)).toEqual(first);
      if (provisioner.inventory) expect(await found('twice')).toHaveLength(1);
      await finish(provisioner, 'deprovision', work);
    });

    test('A provisioner goes on when a step has happened and was not recorded.', async () => {
      const work = workOn('forgotten');
      const first = await provisioner.provision(work);
      const made = await finish(provisioner, 'provision', work);
      if ('done' in first) expect(made).toEqual(first.done);
      await finish(provisioner, 'deprovision', work);
      expect(await found('forgotten')).toEqual([]);
    });

    test('A provisioner comes to the same end when each step of all that it does happens, is not recorded, and happens again.', async () => {
      const [sure, unsure] = [workOn('recorded', 'b1'), workOn('unrecorded', 'b1')];
      for (const kind of ['provision', 'update', 'bind', 'unbind', 'deprovision'] as const) {
        if (!provisioner[kind]) continue;
        const previous = (work: Work) => (kind === 'update' ? { ...work, previous: work.instance } : work);
        const wanted = await finish(provisioner, kind, previous(sure));
        const made = await finish(provisioner, kind, previous(unsure), 'each step twice');
        expect([kind, Object.keys(made.facts ?? {})]).toEqual([kind, Object.keys(wanted.facts ?? {})]);
        if (provisioner.inventory)
          expect([kind, (await found('unrecorded')).length]).toEqual([
            kind,
            (await found('recorded')).length,
          ]);
      }
    });

    test('A provisioner updates an instance twice to the same end.', async () => {
      if (!provisioner.update) return;
      const work = { ...workOn('updated'), previous: anInstance({ id: 'updated' }) };
      await finish(provisioner, 'provision', work);
      const first = await finish(provisioner, 'update', work);
      expect(await finish(provisioner, 'update', work)).toEqual(first);
      await finish(provisioner, 'deprovision', work);
    });

    test('A provisioner binds twice to the same end, and each binding stands for itself.', async () => {
      if (!provisioner.bind || !provisioner.unbind) return;
      const [one, other] = [workOn('bound', 'b1'), workOn('bound', 'b2')];
      await finish(provisioner, 'provision', one);
      const first = await finish(provisioner, 'bind', one);
      const second = await finish(provisioner, 'bind', other);
      await finish(provisioner, 'unbind', one);
      expect(await finish(provisioner, 'bind', other)).toEqual(second);
      expect(await finish(provisioner, 'bind', one)).toEqual(first);
      await finish(provisioner, 'deprovision', one);
    });

    test('A provisioner unbinds twice, and also what was never bound.', async () => {
      if (!provisioner.bind || !provisioner.unbind) return;
      const work = workOn('unbound', 'b1');
      await finish(provisioner, 'provision', work);
      await finish(provisioner, 'bind', work);
      await finish(provisioner, 'unbind', work);
      await finish(provisioner, 'unbind', work);
      await finish(provisioner, 'unbind', workOn('unbound', 'never-bound'));
      await finish(provisioner, 'deprovision', work);
    });

    test('A provisioner deprovisions twice, also with a binding left and what was never made.', async () => {
      const work = workOn('removed', 'b1');
      await finish(provisioner, 'provision', work);
      if (provisioner.bind) await finish(provisioner, 'bind', work);
      await finish(provisioner, 'deprovision', work);
      await finish(provisioner, 'deprovision', work);
      await finish(provisioner, 'deprovision', workOn('never-made'));
      expect(await found('removed')).toEqual([]);
      expect(await found('never-made')).toEqual([]);
    });

    test('A provisioner makes an instance again whose id was removed.', async () => {
      const work = workOn('again');
      const first = await finish(provisioner, 'provision', work);
      await finish(provisioner, 'deprovision', work);
      const second = await finish(provisioner, 'provision', work);
      expect(Object.keys(second.facts ?? {})).toEqual(Object.keys(first.facts ?? {}));
      await finish(provisioner, 'deprovision', work);
    });

    test('A provisioner lists what it made under names of its own, and removes by its name what nobody wants.', async () => {
      if (!provisioner.inventory || !provisioner.purge) return;
      const [wanted, unwanted] = [workOn('wanted'), workOn('unwanted')];
      for (const work of [wanted, unwanted]) await finish(provisioner, 'provision', work);
      const names = (await listed()).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const thing of await found('unwanted')) {
        await provisioner.purge(thing);
        await provisioner.purge(thing);
      }
      expect(await found('unwanted')).toEqual([]);
      expect(await found('wanted')).toHaveLength(1);
      await finish(provisioner, 'deprovision', unwanted);
      await finish(provisioner, 'deprovision', wanted);
    });

    test('A provisioner says how the units of an instance are, however it is.', async () => {
      if (!provisioner.units) return;
      const work = workOn('looked-at');
      await finish(provisioner, 'provision', work);
      const units = await provisioner.units.inspect(work);
      expect(units.length).toBeGreaterThan(0);
      expect(new Set(units.map(({ unit }) => unit)).size).toBe(units.length);
      await finish(provisioner, 'deprovision', work);
      const gone = await provisioner.units.inspect(work);
      expect(gone.map(({ unit }) => unit)).toEqual(units.map(({ unit }) => unit));
    });

    test('A provisioner keeps instances apart.', async () => {
      const [one, other] = [workOn('one', 'b1'), workOn('other', 'b1')];
      await finish(provisioner, 'provision', one);
      await finish(provisioner, 'provision', other);
      if (provisioner.bind) await finish(provisioner, 'bind', other);
      await finish(provisioner, 'deprovision', one);
      if (provisioner.inventory) expect(await found('other')).toHaveLength(1);
      if (provisioner.unbind) await finish(provisioner, 'unbind', other);
      await finish(provisioner, 'deprovision', other);
    });

    test.each([['../../up'], ['a/b\\c'], ['%2e%2e'], ['ñ 👍🏽'], ['.'], ['__proto__'], ['x'.repeat(300)]])(
      'A provisioner takes the id %j as it is.',
      async (id) => {
        const work = workOn(id, id);
        await finish(provisioner, 'provision', work);
        if (provisioner.bind) await finish(provisioner, 'bind', work);
        if (provisioner.inventory) expect(await found(id)).toHaveLength(1);
        await finish(provisioner, 'deprovision', work);
        expect(await found(id)).toEqual([]);
      },
    );

    test('A provisioner ends soon when it was given up, and leaves nothing that a deprovision does not remove.', async () => {
      const work = { ...workOn('given-up'), signal: AbortSignal.abort() };
      const started = Date.now();
      await provisioner.provision(work).catch(() => undefined);
      expect(Date.now() - started).toBeLessThan(20_000);
      await finish(provisioner, 'deprovision', workOn('given-up'));
      expect(await found('given-up')).toEqual([]);
    });

    test('A provisioner needs a single step, when it claims to touch nothing outside.', async () => {
      if (!provisioner.traits.selfContained) return;
      const work = workOn('at-once', 'b1');
      for (const method of ['provision', 'update', 'bind', 'unbind', 'deprovision'] as const) {
        if (provisioner[method]) expect(await provisioner[method](work)).toHaveProperty('done');
      }
    });
  });
}

const rootsOfTheBroker = ['params', 'plan', 'secrets', 'instance', 'binding', 'broker'];

interface WorkParts {
  readonly plan: ServicePlan;
  readonly instanceId?: string;
  readonly bindingId?: string | undefined;
  readonly values?: JsonObject;
  readonly operationId?: string;
}

/** The first step of an operation. */
export function aWork({
  plan,
  instanceId = 'i1',
  bindingId,
  values = {},
  operationId = 'op1',
}: WorkParts): Work {
  return {
    operationId,
    instance: anInstance({ id: instanceId }),
    ...(bindingId === undefined ? {} : { binding: aBinding({ instanceId, id: bindingId }) }),
    plan,
    values,
    redact: (text) => text,
    signal: new AbortController().signal,
  };
}

type Deed = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind';

/** Step after step, with the pauses that are asked for; what was made, nothing for a removal. */
export async function finish(
  provisioner: Provisioner,
  kind: Deed,
  first: Work,
  manner?: 'each step twice',
): Promise<Made> {
  for (let work = first; ;) {
    // As if the broker had died before it recorded it.
    if (manner) await provisioner[kind]?.(work);
    const step = await provisioner[kind]?.(work);
    if (!step) throw new Error(`The provisioner '${provisioner.name}' cannot ${kind}.`);
    if ('done' in step) return step.done ?? {};
    const { afterMs, memo } = step.again;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    work = { ...work, memo };
  }
}
