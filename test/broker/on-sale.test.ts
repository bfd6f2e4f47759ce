import type { Catalog, Dependency, ServiceOffering, ServicePlan } from '../../src/broker/catalog.ts';
import type { Node } from '../../src/broker/nodes.ts';
import { createOnSale, onSaleOf } from '../../src/broker/on-sale.ts';
import type { Provisioner } from '../../src/broker/provisioner.ts';
import { aPlan } from './fixtures.ts';

/** What is offered is what somebody could make. */

test.each<[what: string, offerings: readonly ServiceOffering[], nodes: readonly Node[], hidden: object]>([
  ['Nothing that is made nowhere in particular', [anOffering('a', [remote()])], [], {}],
  ['What runs on a node, without any node,', [anOffering('a', [local()])], [], { a: 'There is no node.' }],
  ['Nothing that a node has the executables of', [anOffering('a', [local('x')])], [aNode('x', 'y')], {}],
  [
    'Nothing of a node that is away or takes nothing new',
    [anOffering('a', [local('x')])],
    [{ ...aNode('x'), stale: true, draining: true }],
    {},
  ],
  [
    'What needs an executable that no node has',
    [anOffering('a', [local('x', 'elasticsearch')])],
    [aNode('x'), aNode()],
    { a: 'The executable elasticsearch was not found on any node.' },
  ],
  [
    'What needs executables that no node has',
    [anOffering('a', [local('x', 'y', 'z')])],
    [aNode()],
    { a: 'The executables x, y and z were not found on any node.' },
  ],
  [
    'What needs executables that no node has together',
    [anOffering('a', [local('x', 'y')])],
    [aNode('x'), aNode('y')],
    { a: 'No node has all of the executables x and y.' },
  ],
  [
    'What runs programs that a node keeps apart, or takes though it does not',
    [anOffering('a', [running('x')]), anOffering('b', [running('y')])],
    [aNode('x'), { ...aNode('y'), isolation: 'none', allowsUnisolated: true }],
    {},
  ],
  [
    'What runs programs that no node with all it needs keeps apart, and nothing else,',
    [anOffering('a', [running('x')]), anOffering('b', [local('x')])],
    [{ ...aNode('x'), isolation: 'none' }, aNode('y')],
    {
      a: 'No node keeps its programs apart from others: that takes root or bwrap, or ALLOW_UNISOLATED set to true.',
    },
  ],
  [
    'What is made at an engine that a node has, and what at one that none has,',
    [
      anOffering('a', [aPlan({ making: { provisioner: 'engine' } })]),
      anOffering('b', [aPlan({ making: { provisioner: 'machine' } })]),
    ],
    [aNode('container engine')],
    { b: 'No node has a time machine.' },
  ],
  [
    'What its provisioner has an obstacle for',
    [anOffering('a', [aPlan({ making: { provisioner: 'barred' } })])],
    [],
    { a: 'SHARED_URL is not set.' },
  ],
  [
    'What has several reasons',
    [anOffering('a', [local('x'), local('x'), aPlan({ making: { provisioner: 'barred' } })])],
    [aNode()],
    { a: 'The executable x was not found on any node. SHARED_URL is not set.' },
  ],
  [
    'What needs what is hidden, and what needs that,',
    [
      anOffering('a', [needing({ offering: 'b', plan: 'b1' })]),
      anOffering('b', [needing({ offering: 'c', plan: 'small' }, 'b1')]),
      anOffering('c', [local('redis-server')]),
    ],
    [aNode()],
    {
      a: 'It needs the offering b, which cannot be made: It needs the offering c, which cannot be made: The executable redis-server was not found on any node.',
      b: 'It needs the offering c, which cannot be made: The executable redis-server was not found on any node.',
      c: 'The executable redis-server was not found on any node.',
    },
  ],
  [
    'What needs a plan that is hidden, although the offering has another,',
    [
      anOffering('a', [needing({ offering: 'b', plan: 'b1' })]),
      anOffering('b', [{ ...local('x'), name: 'b1' }, remote()]),
    ],
    [aNode()],
    { a: 'It needs the offering b, which cannot be made: The executable x was not found on any node.' },
  ],
  [
    'What needs an offering that is not there',
    [anOffering('a', [needing({ offering: 'gone', plan: 'p' })])],
    [],
    { a: 'It needs the offering gone, which cannot be made: It is not in the catalog.' },
  ],
  [
    'Nothing whose needs go in a circle, which the files cannot say,',
    [
      anOffering('a', [needing({ offering: 'b', plan: 'p' })]),
      anOffering('b', [needing({ offering: 'a', plan: 'p' })]),
    ],
    [],
    {},
  ],
])('%s is hidden, with the reason.', (_what, offerings, nodes, hidden) => {
  const declared = aCatalog(...offerings);
  const offered = onSaleOf(declared, nodes, provisioner);
  expect(Object.fromEntries(offered.hidden.map(({ offering, reason }) => [offering.name, reason]))).toEqual(
    hidden,
  );
  const shown = offerings.filter(({ name }) => !Object.hasOwn(hidden, name)).map(({ name }) => name);
  expect(offered.catalog.offerings.map(({ name }) => name)).toEqual(shown);
});

test('What needs an instance that is there already stays, although there can be no other one.', () => {
  const needer = anOffering('a', [needing({ offering: 'b', instance: 'i1' })]);
  const { catalog, hidden } = onSaleOf(aCatalog(needer, anOffering('b', [local('x')])), [], provisioner);
  expect(catalog.offerings).toEqual([needer]);
  expect(hidden).toMatchObject([{ offering: { name: 'b' } }]);
});

test('Of an offering the plans that could be made stay.', () => {
  const [possible, impossible] = [remote(), local()];
  const { catalog, hidden } = onSaleOf(aCatalog(anOffering('a', [impossible, possible])), [], provisioner);
  expect(catalog.offerings.map(({ plans }) => plans)).toEqual([[possible]]);
  expect(hidden).toEqual([]);
});

describe('The catalog', () => {
  const later = new Date('2026-01-02T00:00:00Z');
  const declared = aCatalog(anOffering('a', [local('x')]), anOffering('b', [remote()]));

  test('The catalog is itself when all of it is offered.', () => {
    expect(onSaleOf(declared, [aNode('x')], provisioner).catalog).toBe(declared);
    expect(createOnSale(provisioner, () => later)(declared, [aNode('x')]).catalog).toBe(declared);
  });

  test('The catalog stays the same one until something else is offered, and is as new as that.', () => {
    const offer = createOnSale(provisioner, () => later);
    const without = offer(declared, []);
    expect(offer(declared, [aNode('y')])).toEqual({
      catalog: without.catalog,
      hidden: [expect.objectContaining({ reason: 'The executable x was not found on any node.' })],
    });
    expect(offer(declared, [aNode('y')]).catalog).toBe(without.catalog);
    expect(without.catalog.loadedAt).toEqual(declared.loadedAt);
    const { catalog } = offer(declared, [aNode('x')]);
    expect(catalog).toEqual({ ...declared, loadedAt: later });
    expect(offer(declared, [aNode('x'), aNode()]).catalog).toBe(catalog);
  });

  test('A catalog that was loaded anew is a new one.', () => {
    const offer = createOnSale(provisioner, () => later);
    const before = offer(declared, []).catalog;
    const fresh = { ...declared, loadedAt: later };
    expect(offer(fresh, []).catalog).not.toBe(before);
    expect(offer(fresh, [aNode('x')]).catalog).toEqual(fresh);
  });
});

function remote(): ServicePlan {
  return aPlan({ making: { provisioner: 'remote' } });
}

function local(...needs: readonly string[]): ServicePlan {
  return aPlan({ making: { provisioner: 'local' }, operating: { executables: needs } });
}

function running(...needs: readonly string[]): ServicePlan {
  return aPlan({ making: { provisioner: 'running' }, operating: { executables: needs } });
}

function needing(need: Omit<Dependency, 'parameters'>, name = 'p'): ServicePlan {
  const requires = { it: { ...need, parameters: {} } };
  return aPlan({ name, making: { provisioner: 'remote' }, operating: { dependencies: requires } });
}

function anOffering(name: string, plans: readonly ServicePlan[]): ServiceOffering {
  return {
    id: name,
    name,
    description: name,
    tags: [],
    permissions: [],
    bindable: true,
    instancesRetrievable: false,
    bindingsRetrievable: false,
    allowContextUpdates: false,
    planUpdateable: false,
    plans,
  };
}

function aCatalog(...offerings: readonly ServiceOffering[]): Catalog {
  return { offerings, loadedAt: new Date('2026-01-01T00:00:00Z') };
}

function aNode(...executables: readonly string[]): Node {
  return {
    name: `node with ${executables.join()}`,
    host: '127.0.0.1',
    url: 'http://127.0.0.1:1',
    directory: '/nowhere',
    ports: { first: 20_000, last: 20_001 },
    capacity: 1,
    executables,
    isolation: 'sandbox',
    allowsUnisolated: false,
    draining: false,
    beatAt: new Date(),
    stale: false,
    used: 0,
    instances: 0,
    portsFree: 2,
  };
}

function provisioner(name: string): Provisioner {
  return {
    name,
    traits: {
      config: {},
      roots: [],
      selfContained: false,
      local: ['local', 'running', 'engine', 'machine'].includes(name),
      needs: name === 'engine' ? ['container engine'] : name === 'machine' ? ['time machine'] : undefined,
      runsPrograms: name === 'running',
    },
    provision: () => Promise.reject(new Error('Nothing is made here.')),
    deprovision: () => Promise.reject(new Error('Nothing is made here.')),
    ...(name === 'barred' ? { obstacle: () => 'SHARED_URL is not set' } : {}),
  };
}
