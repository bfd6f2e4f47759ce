import { abandon } from './abandon.ts';
import { nodeName } from '../../config/kinds.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import type { NodeAnswer } from '../../protocols/operator/wire/broker.ts';
import { argument, asJson } from '../parameters.ts';
import { table } from '../table.ts';
import { printFor } from '../output/print.ts';

/** Nodes: which there are, and which take new instances. */
export const nodeCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'nodes',
    description: 'Show the nodes: their state, capacity and free ports.',
    options: asJson,
    async run(_given, { json }) {
      const { nodes } = await (await operatorOfHere()).nodes();
      printFor(json, nodes, table(heads, nodes.map(rowOf)));
      return 0;
    },
  }),
  defineCommand({
    words: 'nodes show',
    description: 'Show one with its programs, and what it keeps instances apart and within limits by.',
    arguments: [argument('name', nodeName(), 'the name of the node')],
    options: asJson,
    async run([name], { json }) {
      const found = await (await operatorOfHere()).node(name);
      printFor(json, found, nodePage(found));
      return 0;
    },
  }),
  change('drain', 'Let a node take no new instances; those it has go on.', 'takes no new instances'),
  change('undrain', 'Let a drained node take new instances again.', 'takes new instances again'),
  change('forget', 'Remove a node that is down and has no instances.', 'is forgotten'),
  abandon,
];

const heads = [
  'NODE',
  'STATE',
  'HOST',
  'INSTANCES',
  'USED',
  'CAPACITY',
  'PORTS FREE',
  'ISOLATION',
  'ACCOUNTS',
  'LAST HEARD OF',
];

function rowOf(node: NodeAnswer) {
  const { name, state, host, instances, used, capacity, ports_free: free, beat_at: beat } = node;
  return [name, state, host, instances, used, capacity, free, node.isolation, node.accounts, beat];
}

function nodePage(node: NodeAnswer): string {
  const facts = [
    ['node', node.name],
    ['state', node.state],
    ['host', node.host],
    ['url', node.url],
    ['directory', node.directory],
    ['instances', String(node.instances)],
    ['capacity', `${node.used} of ${node.capacity} used`],
    ['ports', `${node.ports}, ${node.ports_free} free`],
    ['programs', node.executables.join(', ')],
    ['accounts', node.accounts],
    ['isolation', node.isolation],
    ['limits', node.limits],
    ['heard of', node.beat_at],
  ].filter(([, value]) => value !== undefined && value !== '');
  return facts.map(([name = '', value]) => `${name.padEnd(10)} ${value}`).join('\n');
}

function change(verb: 'drain' | 'undrain' | 'forget', description: string, result: string): CliCommand {
  return defineCommand({
    words: `nodes ${verb}`,
    description,
    arguments: [argument('name', nodeName(), 'the name of the node')],
    options: asJson,
    async run([name], { json }) {
      const changed = await (await operatorOfHere()).changeNode(name, verb);
      printFor(json, changed, `The node ${name} ${result}.`);
      return 0;
    },
  });
}
