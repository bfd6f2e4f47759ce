import { memoryStore } from '../../src/stores/memory/index.ts';
import { describeStore, describeRemembered } from './contract.ts';
import { begun, long, open, provisioning } from './contract/steps.ts';
import { rememberedInMemory } from './contract/remembered.ts';

describeStore('the memory store', () => memoryStore());
describeRemembered('the memory store', () => rememberedInMemory());

test('The clock of the memory store can be moved: a lease ends without waiting.', async () => {
  let now = new Date('2026-01-01T00:00:00Z');
  const store = memoryStore(() => now);
  await open(store, provisioning({}, begun('provision')));
  const first = await store.claim('one', long);
  expect(await store.claim('two', long)).toBeUndefined();
  expect(await store.nextDue()).toBe(long);
  now = new Date(now.getTime() + long);
  const second = await store.claim('two', long);
  expect([first?.operation.attempt, second?.operation.attempt]).toEqual([1, 2]);
});
