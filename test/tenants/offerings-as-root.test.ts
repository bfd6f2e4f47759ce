import { globSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { allAttacks, attackOfferings } from './attack-offerings.ts';
import { byRoot } from './set-ups.ts';

test('Every shipped offering is attacked.', () => {
  const names = globSync('catalog/*.yaml').map(
    (file) => (parse(readFileSync(file, 'utf8')) as { name: string }).name,
  );
  expect(Object.keys(allAttacks).toSorted()).toEqual(names.toSorted());
});

attackOfferings(byRoot);
