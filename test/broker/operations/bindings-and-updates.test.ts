import { Failure } from '../../../src/broker/errors.ts';
import type { JsonObject } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from '../fixtures.ts';
import { until } from '../../support/until.ts';
import { coreInMemory, gate, scripted } from '../core-in-memory.ts';

const soon = { acceptsIncomplete: true };

describe('Bindings', () => {
  test('A binding gets its own secrets, and a repetition gets the same ones.', async () => {
    const { broker } = coreInMemory(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    const one = await broker.bind(toBind());
    const two = await broker.bind(toBind({ bindingId: 'b2' }));
    const again = await broker.bind(toBind());
    if (one.is !== 'done' || two.is !== 'done' || again.is !== 'unchanged') throw new Error('Not bound');
    expect(again.record.confidential.answer).toEqual(one.record.confidential.answer);
    expect(two.record.confidential.answer).not.toEqual(one.record.confidential.answer);
  });

  test('A bind whose result cannot be fetched later is waited for, whatever the platform accepts.', async () => {
    const slow = gate();
    const { provisioner } = scripted({ bind: () => slow.passed.then(() => ({ done: {} })) });
    const { broker } = coreInMemory(provisioner, [aPlan({ bindingsRetrievable: false })]).broker({
      asyncPatience: 1,
    });
    await broker.provision(toProvision());
    const both = [broker.bind(toBind(soon)), broker.bind(toBind(soon))];
    setTimeout(slow.open, 20);
    const outcomes = await Promise.all(both);
    expect(outcomes.map(({ is }) => is).toSorted()).toEqual(['done', 'unchanged']);
  });

  test('A failed bind is undone and can be tried again.', async () => {
    let times = 0;
    const { provisioner, deeds } = scripted({
      bind() {
        if (++times === 1) throw new Failure('login', 'No login could be made.');
        return { done: {} };
      },
    });
    const { broker } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    await expect(broker.bind(toBind())).rejects.toThrow('No login could be made.');
    expect(deeds()).toEqual(['provision', 'bind', 'unbind']);
    await expect(broker.binding('i1', 'b1')).rejects.toMatchObject({ code: 'not-found' });
    expect(await broker.bind(toBind())).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
  });

  test('Bindings left at a deprovision are unbound first.', async () => {
    const { provisioner, asked } = scripted({});
    const { broker } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    for (const bindingId of ['b1', 'b2']) await broker.bind(toBind({ bindingId }));
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    const removed = asked
      .slice(-3)
      .map(({ deed, work }: { deed: string; work: Work }) => [deed, work.binding?.id]);
    expect(removed).toEqual([
      ['unbind', 'b1'],
      ['unbind', 'b2'],
      ['deprovision', undefined],
    ]);
  });

  test.each([
    [
      'that refuses to unbind',
      1,
      () => new Failure('refused', 'It does not want to.', { detail: 'No room.' }),
    ],
    ['that breaks when it unbinds', 3, () => new Error('No room.')],
  ])('A deprovision does not need the consent of a service %s.', async (_how, tries, error) => {
    const { provisioner, asked } = scripted({
      unbind({ binding }) {
        if (binding?.id === 'b1') throw error();
        return { done: {} };
      },
    });
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    await broker.provision(toProvision());
    for (const bindingId of ['b1', 'b2']) await broker.bind(toBind({ bindingId }));
    await broker.deprovision(toDeprovision(soon));
    await until('the instance is gone', async () => {
      core.pass(10_000);
      await work.tick();
      return !(await core.store.findInstance('i1'));
    });
    const removals = asked.filter(({ deed }) => deed === 'unbind' || deed === 'deprovision');
    expect(removals.map(({ work: { binding } }) => binding?.id)).toEqual([
      ...Array.from({ length: tries }, () => 'b1'),
      'b2',
      undefined,
    ]);
    const told = core.events.flatMap((event) => (event.type === 'step-failed' ? event.detail : []));
    expect(told.at(-1)).toContain("The binding 'b1' could not be unbound and goes with its instance.");
    expect(told.at(-1)).toContain('No room.');
  });

  test('A binding that is over its time does not exist any more, and is revoked by the broker itself.', async () => {
    const plan = aPlan({ making: { answer: { bindingLifetime: { expiresAfter: 60, renewBefore: 20 } } } });
    const { provisioner, deeds } = scripted({});
    const core = coreInMemory(provisioner, [plan]);
    const { broker, work } = core.broker();
    await broker.provision(toProvision());
    await broker.bind(toBind());
    const { expiresAt, renewBefore } = await broker.binding('i1', 'b1');
    expect((expiresAt?.getTime() ?? 0) - (renewBefore?.getTime() ?? 0)).toBe(20_000);
    core.pass(60_000);
    await expect(broker.binding('i1', 'b1')).rejects.toMatchObject({ code: 'not-found' });
    await work.tick();
    expect(deeds().at(-1)).toBe('unbind');
    expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
  });

  test('A rotation takes over parameters and application of its predecessor, and both live on their own.', async () => {
    const { broker } = coreInMemory(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    await broker.bind(toBind({ parameters: { role: 'reader' }, appGuid: 'app' }));
    const rotate = {
      ...toBind({ bindingId: 'b2', predecessorId: 'b1' }),
      offeringId: undefined,
      planId: undefined,
    };
    const { offeringId: _o, planId: _p, ...onlyPredecessor } = rotate;
    const successor = await broker.bind(onlyPredecessor);
    expect(successor).toMatchObject({
      is: 'done',
      record: { appGuid: 'app', confidential: { parameters: { role: 'reader' } } },
    });
    await broker.unbind(toUnbind());
    expect(await broker.binding('i1', 'b2')).toMatchObject({ ready: true });
    expect(await broker.bind(onlyPredecessor)).toMatchObject({ is: 'unchanged' });
  });
});

describe('Updates', () => {
  test('Parameters are merged, the plan stays when none is named, and secrets stay.', async () => {
    const { broker } = coreInMemory(scripted({}).provisioner, [aPlan(), aPlan({ id: 'large' })]).broker();
    await broker.provision(toProvision({ parameters: { a: 1, b: 1 } }));
    await broker.update(toUpdate({ parameters: { b: 2 } }));
    expect(await broker.instance('i1')).toMatchObject({
      planId: 'small',
      confidential: { parameters: { a: 1, b: 2 } },
    });
    await broker.update(toUpdate({ planId: 'large' }));
    expect(await broker.instance('i1')).toMatchObject({
      planId: 'large',
      confidential: { parameters: { a: 1, b: 2 } },
    });
  });

  test('Where an update names all parameters, what it does not name goes.', async () => {
    const { provisioner, deeds } = scripted({});
    const { broker } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision({ parameters: { a: 1, b: 1 } }));
    const complete = (parameters: JsonObject) => toUpdate({ parameters, complete: true });
    await broker.update(complete({ b: 1 }));
    expect((await broker.instance('i1')).confidential.parameters).toEqual({ b: 1 });
    expect(await broker.update(complete({ b: 1 }))).toMatchObject({ is: 'unchanged' });
    await broker.update(complete({}));
    expect((await broker.instance('i1')).confidential.parameters).toEqual({});
    expect(deeds()).toEqual(['provision', 'update', 'update']);
  });

  test('A removal that means one version of the instance leaves every other alone.', async () => {
    const { broker } = coreInMemory(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    const { version } = await broker.instance('i1');
    await broker.update(toUpdate({ parameters: { a: 1 } }));
    expect(await broker.deprovision({ ...toDeprovision(), version })).toEqual({ is: 'absent' });
    const now = await broker.instance('i1');
    expect(await broker.deprovision({ ...toDeprovision(), version: now.version })).toMatchObject({
      is: 'done',
    });
  });

  test('An update that changes nothing makes nothing; a new context is only remembered.', async () => {
    const { provisioner, deeds } = scripted({});
    const { broker } = coreInMemory(provisioner).broker();
    await broker.provision(toProvision());
    expect(await broker.update(toUpdate({ planId: 'small' }))).toMatchObject({ is: 'unchanged' });
    const renamed = { instance_name: 'renamed' };
    expect(await broker.update(toUpdate({ context: renamed }))).toMatchObject({
      is: 'done',
      record: { context: renamed },
    });
    expect(deeds()).toEqual(['provision']);
  });

  test('A new maintenance version is an update, an old one is refused.', async () => {
    const plans = [aPlan({ maintenanceInfo: { version: '1.0.0' } })];
    const { provisioner, deeds } = scripted({});
    const core = coreInMemory(provisioner, plans);
    const { broker } = core.broker();
    await core.store.saveRevisions(plans);
    await broker.provision(toProvision());
    plans[0] = aPlan({ maintenanceInfo: { version: '2.0.0' }, revision: 'small-2' });
    await expect(broker.update(toUpdate({ maintenanceVersion: '1.0.0' }))).rejects.toMatchObject({
      code: 'maintenance-conflict',
    });
    expect(await broker.update(toUpdate({ maintenanceVersion: '2.0.0' }))).toMatchObject({ is: 'done' });
    expect(deeds()).toEqual(['provision', 'update']);
    expect(await broker.instance('i1')).toMatchObject({ maintenanceVersion: '2.0.0', revision: 'small-2' });
  });

  test('A change of a plan that does not allow it is unsupported and changes nothing.', async () => {
    const { broker } = coreInMemory(scripted({}).provisioner, [
      aPlan({ planUpdateable: false }),
      aPlan({ id: 'large' }),
    ]).broker();
    await broker.provision(toProvision());
    await expect(broker.update(toUpdate({ planId: 'large' }))).rejects.toMatchObject({ code: 'unsupported' });
    expect(await broker.instance('i1')).toMatchObject({ planId: 'small' });
  });
});

describe('Self-contained provisioners', () => {
  test('What fails is written nowhere, but the operator is told why.', async () => {
    const { provisioner } = scripted(
      {
        provision() {
          throw new Failure('odd', 'Ask the operator.', { detail: 'The file lacks a secret.' });
        },
      },
      { selfContained: true },
    );
    const core = coreInMemory(provisioner);
    const { broker } = core.broker();
    await expect(broker.provision(toProvision())).rejects.toThrow('Ask the operator.');
    expect(core.events).toEqual([
      expect.objectContaining({ type: 'step-failed', detail: 'The file lacks a secret.' }),
    ]);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('absent');
  });

  test('Everything is written as one: there is never an open operation.', async () => {
    const core = coreInMemory(scripted({}, { selfContained: true }).provisioner);
    const { broker, work } = core.broker();
    const open = core.store.open.bind(core.store);
    const opened: string[] = [];
    core.store.open = (opening) => {
      opened.push(opening.operation.state);
      return open(opening);
    };
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done', record: { ready: true } });
    expect(await broker.bind(toBind())).toMatchObject({ is: 'done', record: { ready: true } });
    expect(await broker.update(toUpdate({ parameters: { a: 1 } }))).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({ operation: { kind: 'update' } });
    await broker.bind(toBind());
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('gone');
    expect(await broker.lastOperation({ instanceId: 'i1', bindingId: 'b1' })).toBe('gone');
    expect(await work.tick()).toBeGreaterThan(0);
    expect(opened).toEqual(Array(6).fill('succeeded'));
  });
});
