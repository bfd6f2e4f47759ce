import { echo } from '../../src/provisioners/echo/index.ts';
import { registry } from '../../src/provisioners/index.ts';
import { shippedProvisioners } from '../support/shipped-provisioners.ts';
import { shippedTraits } from '../../src/program/shipped.ts';

const { all: shipped } = await shippedProvisioners('/nowhere');

test('A provisioner is found by its name.', () => {
  const known = registry(shipped);
  expect(known.names).toEqual([
    'echo',
    'faulty',
    'process',
    'container',
    'kubernetes',
    'postgres',
    'directory',
    'command',
  ]);
  for (const name of known.names) expect(known.get(name).name).toBe(name);
});

test('P1: An unknown name is an error that lists the known ones.', () => {
  expect(() => registry(shipped).get('magic')).toThrow(
    "There is no provisioner 'magic'. Known are: echo, faulty, process, container, kubernetes, postgres, directory, command.",
  );
  expect(() => registry([]).get('magic')).toThrow("There is no provisioner 'magic'. Known are: none.");
  expect(() => registry(shipped).get('__proto__')).toThrow("There is no provisioner '__proto__'.");
});

test('Two provisioners of one name are an error.', () => {
  expect(() => registry([echo(), ...shipped])).toThrow("There are two provisioners with the name 'echo'.");
});

test('What the offering files of each provisioner may say is known without making one.', () => {
  const traits = shippedTraits();
  expect(Object.keys(traits)).toEqual([
    'echo',
    'faulty',
    'process',
    'container',
    'kubernetes',
    'postgres',
    'directory',
    'command',
  ]);
  expect(traits['echo']).toMatchObject({
    selfContained: true,
    roots: ['echo'],
    secrets: { token: 'binding', dashboard_token: 'instance' },
  });
  expect(traits['faulty']).toMatchObject({ selfContained: false, roots: ['thing'] });
});
