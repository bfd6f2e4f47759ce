import type { MissingAnswer, NodeAnswer, OrphanAnswer } from '../../operator/wire/broker.ts';
import type { Call } from '../../protocol.ts';
import type { Ask } from '../ask.ts';
import { instancePath, pathTo } from '../paths.ts';
import { type ActionName, actionLinks, actionPieces } from './actions.ts';
import type { Cell, PageContent, Section, Table } from './parts.ts';
import { amountOf, badge, cell, code, moment, soft, text } from './words.ts';

export async function nodesPage(
  ask: Ask,
  { readsOnly = false }: Pick<Call, 'readsOnly'>,
): Promise<PageContent> {
  const { nodes } = await ask('nodes');
  return {
    title: 'Nodes',
    live: true,
    sections: [{ parts: [nodeTable(nodes)] }, ...nodes.map((node) => nodeSection(node, !readsOnly))],
  };
}

export function nodeTable(nodes: readonly NodeAnswer[]): Table {
  const columns = [
    { name: 'Node' },
    { name: 'State' },
    { name: 'Capacity in use' },
    { name: 'Instances', number: true },
    { name: 'Ports free', number: true },
    { name: 'Heard of (UTC)' },
  ];
  const rows = nodes.map((node) => [
    cell(text(node.name), soft(node.host)),
    cell(badge(node.state)),
    cell({
      text: `${amountOf(node.used)} of ${amountOf(node.capacity)}`,
      share: node.capacity > 0 ? node.used / node.capacity : 0,
    }),
    cell(text(node.instances, { href: pathTo('instances', { node: node.name }) })),
    cell(text(node.ports_free)),
    cell(moment(node.beat_at)),
  ]);
  return { is: 'table', label: 'Nodes', columns, rows, empty: 'There is no node: nothing runs by itself.' };
}

const actionsIn = {
  up: ['drain'],
  draining: ['undrain'],
  down: ['forget', 'abandon'],
} as const satisfies Record<NodeAnswer['state'], readonly ActionName[]>;

function nodeSection(node: NodeAnswer, mayAct: boolean): Section {
  return {
    title: node.name,
    parts: [
      actionLinks(mayAct, actionsIn[node.state], { node: node.name }),
      {
        is: 'facts',
        facts: [
          ['Address', cell(code(node.url))],
          ['Directory', cell(code(node.directory))],
          ['Ports', cell(text(node.ports))],
          ['Keeps apart by', cell(text(node.isolation))],
          ['Instances run as', cell(text(node.accounts))],
          ['Keeps limits', cell(text(node.limits))],
          ['Programs', cell(text(node.executables.join(', ')))],
        ],
      },
    ],
  };
}

export async function orphansPage(
  ask: Ask,
  { readsOnly = false }: Pick<Call, 'readsOnly'>,
): Promise<PageContent> {
  const [{ orphans }, { missing, unseen }] = await Promise.all([ask('orphans'), ask('instances missing')]);
  return {
    title: 'Orphans',
    sections: [
      {
        title: 'Things without an instance',
        note: cell(soft('Seen twice, long enough apart, they are final and can be removed.')),
        parts: [orphanTable(orphans, !readsOnly)],
      },
      {
        title: 'Instances of which nothing is there',
        parts: [
          missingTable(missing),
          ...unseen.map((sentence) => ({ is: 'text', text: sentence, tone: 'warn' }) as const),
        ],
      },
    ],
  };
}

function orphanTable(orphans: readonly OrphanAnswer[], mayAct: boolean): Table {
  const columns = [
    { name: 'Thing' },
    { name: 'Provisioner' },
    { name: 'Node' },
    { name: 'State' },
    { name: 'Instance' },
    { name: 'First seen (UTC)' },
    ...(mayAct ? [{ name: 'Actions' }] : []),
  ];
  const rows = orphans.map((one) => [
    cell(code(one.name)),
    cell(text(one.provisioner)),
    cell(text(one.node)),
    cell(badge(one.condemned ? 'to be removed' : one.final ? 'final' : 'suspect')),
    cell(code(one.instance_id)),
    cell(moment(one.first_seen_at)),
    ...(mayAct ? [actionsOf(one)] : []),
  ]);
  return { is: 'table', label: 'Things without an instance', columns, rows, empty: 'There are none.' };
}

function actionsOf({ final, condemned, provisioner, node, name }: OrphanAnswer): Cell {
  return actionPieces(!condemned, final ? ['adopt', 'remove-orphan'] : ['adopt'], {
    provisioner,
    node,
    name,
  });
}

function missingTable(missing: MissingAnswer['missing']): Table {
  const columns = [
    { name: 'Instance' },
    { name: 'Provisioner' },
    { name: 'Node' },
    { name: 'Key of its names' },
  ];
  const rows = missing.map((one) => [
    cell(code(one.id, instancePath(one.id))),
    cell(text(one.provisioner)),
    cell(text(one.node)),
    cell(code(one.key)),
  ]);
  const label = 'Instances of which nothing is there';
  return { is: 'table', label, columns, rows, empty: 'There are none.' };
}
