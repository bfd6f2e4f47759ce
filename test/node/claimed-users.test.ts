import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimUsers, ownNumbers } from '../../src/node/claim-users.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** A machine with nodes that know nothing of each other but its registry. */
function aMachine(place = scratchDirectory('machine')) {
  const registries = [join(place, 'registry')];
  const node = (name: string) => {
    mkdirSync(join(place, name), { recursive: true });
    return join(place, name);
  };
  const claim = (name: string, range?: { first: number; last: number }) =>
    claimUsers({ directory: node(name), range, reserved: [], registries });
  return { place, registry: join(place, 'registry'), node, claim };
}

const chosen = { first: 2_090_000_000, last: 2_090_000_099 };

describe('Numbers of users that no operator has chosen', () => {
  test('Two nodes of a machine never have one number, though they start at the same moment.', async () => {
    const { claim } = aMachine();
    const names = Array.from({ length: 8 }, (_, index) => `node-${index}`);
    const ranges = await Promise.all(names.map((name) => claim(name)));
    const sorted = ranges.toSorted((a, b) => a.first - b.first);
    sorted.forEach((range, index) => {
      expect(range.last - range.first).toBe(4095);
      expect(range.first).toBeGreaterThan(sorted[index - 1]?.last ?? ownNumbers.first - 1);
    });
    expect(sorted.at(-1)?.last).toBeLessThanOrEqual(ownNumbers.last);
  });

  test('A node has the same numbers at each start, also where the machine has forgotten them.', async () => {
    const { claim, registry } = aMachine();
    const range = await claim('one');
    expect(await claim('one')).toEqual(range);
    rmSync(registry, { recursive: true });
    expect(await claim('one')).toEqual(range);
  });

  test('A copy of a node gets numbers of its own, and the node keeps its.', async () => {
    const { claim, node } = aMachine();
    const range = await claim('one');
    writeFileSync(join(node('copy'), 'users.json'), readFileSync(join(node('one'), 'users.json')));
    expect((await claim('copy')).first).not.toBe(range.first);
    expect(await claim('one')).toEqual(range);
  });

  test('What a file of a node says is believed only where it can be true.', async () => {
    const { claim, node } = aMachine();
    writeFileSync(join(node('one'), 'users.json'), JSON.stringify({ first: 1000, last: 5095 }));
    expect((await claim('one')).first).toBeGreaterThanOrEqual(ownNumbers.first);
  });
});

describe('Numbers of users that an operator has chosen', () => {
  test('Numbers that another node has are refused, until its directory is gone.', async () => {
    const { claim, node } = aMachine();
    await claim('one', chosen);
    expect(await claim('one', chosen)).toEqual(chosen);
    const overlapping = { first: chosen.last, last: chosen.last + 10 };
    await expect(claim('two', overlapping)).rejects.toThrow(
      `the node in ${node('one')} has ${chosen.first}-${chosen.last}`,
    );
    rmSync(node('one'), { recursive: true });
    expect(await claim('two', overlapping)).toEqual(overlapping);
  });

  test('Numbers that a node had before stay its, while its directory is there.', async () => {
    const { claim } = aMachine();
    const given = await claim('one');
    await claim('one', chosen);
    await expect(claim('two', given)).rejects.toThrow(/the node in .* has/);
    expect(await claim('one')).toEqual(given);
  });
});

test('What the machine keeps of numbers is closed to all others.', async () => {
  const { claim, registry } = aMachine();
  await claim('one');
  expect(statSync(registry).mode & 0o777).toBe(0o700);
  expect(statSync(join(registry, 'users.json')).mode & 0o777).toBe(0o600);
});

test('A registry that others could write, or that cannot be made, is not believed.', async () => {
  const { place, node } = aMachine();
  mkdirSync(join(place, 'open'));
  chmodSync(join(place, 'open'), 0o777);
  const registries = [join(place, 'open'), '/proc/nowhere'];
  const claiming = claimUsers({ directory: node('one'), reserved: [], registries });
  await expect(claiming).rejects.toThrow('there is no place to keep who has which numbers');
});
