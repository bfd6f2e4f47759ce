import { absentNode } from '../../src/provisioners/absent.ts';

test('Of a broker that is no node it is known where hooks lie, and all else is an error.', () => {
  const { node, ports } = absentNode(['catalog']);
  expect(node.catalogDirs).toEqual(['catalog']);
  for (const member of ['name', 'host', 'bind', 'directory', 'path', 'account'] as const)
    expect(() => node[member]).toThrow('This broker is not a node.');
  expect(() => ports.take('n1', 'i1', ['main'])).toThrow('This broker is not a node.');
});
