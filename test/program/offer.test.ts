import type { Catalog, ServicePlan } from '../../src/broker/catalog.ts';
import type { NodeProfile } from '../../src/broker/nodes.ts';
import type { Provisioner } from '../../src/broker/provisioner.ts';
import { openOffer, type Offer } from '../../src/program/offer.ts';
import { memoryDatabase } from '../../src/stores/memory/index.ts';
import { aPlan } from '../broker/fixtures.ts';
import { scripted } from '../broker/core-in-memory.ts';

const local: Provisioner = scripted({}, { local: true }).provisioner;

function needing(name: string, ...needs: string[]): ServicePlan {
  const plan = aPlan();
  return {
    ...plan,
    offeringId: name,
    offeringName: name,
    operating: { ...plan.operating, executables: needs },
  };
}

function catalogOf(...plans: ServicePlan[]): Catalog {
  const offerings = plans.map((plan) => ({
    id: plan.offeringId,
    name: plan.offeringName,
    description: plan.offeringName,
    tags: [],
    permissions: [],
    bindable: true,
    instancesRetrievable: true,
    bindingsRetrievable: true,
    allowContextUpdates: true,
    planUpdateable: true,
    plans: [plan],
  }));
  return { offerings, loadedAt: new Date(0) };
}

const { nodes } = memoryDatabase();
let declared = catalogOf(needing('redis', 'redis-server'), needing('search', 'groonga'));
const told: string[] = [];
let offer: Offer;

function beat(...executables: string[]): Promise<boolean> {
  const profile: NodeProfile = {
    name: 'n1',
    host: '127.0.0.1',
    url: '',
    directory: '',
    ports: { first: 2000, last: 2009 },
    capacity: 10,
    executables,
    isolation: 'none',
    allowsUnisolated: true,
  };
  return nodes.beat(profile, 'h1', 'm1');
}

function names(): readonly string[] {
  return offer.current().catalog.offerings.map(({ name }) => name);
}

beforeAll(async () => {
  await beat('redis-server');
  offer = await openOffer({
    declared: () => declared,
    nodes,
    provisioner: () => local,
    onHidden: (hidden) =>
      void told.push(...hidden.map(({ offering, reason }) => `${offering.name}: ${reason}`)),
    onShown: (name) => void told.push(`${name} is on sale`),
  });
});
afterAll(() => offer.stop());
beforeEach(() => void told.splice(0));

// One story in several chapters.
test('What no node can make is not on sale, and that is told once', async () => {
  expect(names()).toEqual(['redis']);
  await offer.refresh();
  expect(offer.current().hidden).toMatchObject([{ offering: { name: 'search' } }]);
  expect(told).toEqual([]);
});

test('As long as the same is on sale it is the same catalog', async () => {
  const before = offer.current().catalog;
  await beat('redis-server');
  await offer.refresh();
  expect(offer.current().catalog).toBe(before);
});

test('A program that is installed puts its offering on sale, in a catalog that is newer', async () => {
  const before = offer.current().catalog;
  await beat('groonga', 'redis-server');
  await offer.refresh();
  expect(names()).toEqual(['redis', 'search']);
  expect(told).toEqual(['search is on sale']);
  expect(offer.current().catalog.loadedAt.getTime()).toBeGreaterThan(before.loadedAt.getTime());
});

test('A program that is removed takes its offering away', async () => {
  await beat('groonga');
  await offer.refresh();
  expect(names()).toEqual(['search']);
  expect(told).toEqual(['redis: The executable redis-server was not found on any node.']);
});

test('Files that have changed count at once', () => {
  declared = catalogOf(needing('search', 'groonga'), needing('mail', 'postfix'));
  expect(names()).toEqual(['search']);
  expect(told).toEqual(['mail: The executable postfix was not found on any node.']);
});

test('What can be sold is looked for by itself, without being asked', async () => {
  const seen = new Promise<string>((resolve) => {
    void openOffer({
      declared: () => declared,
      nodes,
      provisioner: () => local,
      onHidden: () => undefined,
      onShown: resolve,
      lookEvery: 10,
    }).then((other) => {
      void seen.then(() => other.stop());
      return beat('groonga', 'postfix');
    });
  });
  expect(await seen).toBe('mail');
});
