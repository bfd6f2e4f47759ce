import fc from 'fast-check';
import type { Dependency } from '../../src/broker/catalog.ts';
import { dependencyIds } from '../../src/broker/dependencies/ids.ts';
import { idOfPlatform, isPlatformName, platformOf } from '../../src/broker/key.ts';
import { anInstance } from './fixtures.ts';

test.each<[platform: string | undefined, id: string, known: string]>([
  [undefined, '3f0c', '3f0c'],
  [undefined, 'a:b', 'a:b'],
  [undefined, 'A::b', 'A::b'],
  [undefined, 'acme::x', 'default::acme::x'],
  [undefined, 'default::x', 'default::default::x'],
  ['acme', 'x', 'acme::x'],
  ['acme', 'blue::x', 'acme::blue::x'],
])('What the platform %s calls %s is known as %s, and told apart again.', (platform, id, known) => {
  expect(idOfPlatform(platform, id)).toBe(known);
  expect(platformOf(known)).toEqual({ platform: platform ?? 'default', platformId: id });
});

test('Whatever platforms say, no two of them mean one instance, and none means two.', () => {
  const platform = fc.constantFrom(undefined, 'a', 'a-b', 'b');
  const id = fc.string({ unit: fc.constantFrom('a', 'b', '-', ':', '::', 'default', '\n'), maxLength: 6 });
  fc.assert(
    fc.property(platform, id, platform, id, (one, oneId, other, otherId) => {
      const isSame = one === other && oneId === otherId;
      expect(idOfPlatform(one, oneId) === idOfPlatform(other, otherId)).toBe(isSame);
      expect(platformOf(idOfPlatform(one, oneId))).toEqual({ platform: one ?? 'default', platformId: oneId });
    }),
  );
});

test('Names of platforms can be told from what stands behind them.', () => {
  const names = ['acme', '9', 'a-b', 'x'.repeat(40), '', '-a', 'a:b', 'Acme', 'a b', 'x'.repeat(41), 'a::b'];
  expect(names.filter(isPlatformName)).toEqual(names.slice(0, 4));
});

test('What an instance of a platform needs is of that platform, unless all share it.', () => {
  const need = { offering: 'redis', plan: 'small', parameters: {} } as Dependency;
  const idOf = (id: string, wanted = need) => dependencyIds(anInstance({ id }), 'cache', wanted).instanceId;
  expect(idOf('acme::x')).toMatch(/^acme::p[0-9a-f]{20}$/);
  expect(idOf('x')).toMatch(/^p[0-9a-f]{20}$/);
  expect(idOf('acme::x', { ...need, instance: 'everybodys' })).toBe('everybodys');
});
