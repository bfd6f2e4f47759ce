import { createInterface } from 'node:readline/promises';
import { nodeName } from '../../config/kinds.ts';
import { defineCommand } from '../command.ts';
import { findAll } from './lists.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import { argument, asJson, flag } from '../parameters.ts';
import { table } from '../table.ts';
import type { InstanceAnswer } from '../../protocols/operator/wire/instances.ts';
import { print, printFor } from '../output/print.ts';

/** Gives a node up that will never come back, when the operator has seen what is lost with it and says so. */
export const abandon = defineCommand({
  words: 'nodes abandon',
  description: 'Give up a node that is down for good, with all that was on it; lists what is lost, and asks.',
  arguments: [argument('name', nodeName(), 'the name of the node')],
  options: { yes: flag('--yes', 'do not ask'), ...asJson },
  async run([name], { yes, json }) {
    const client = await operatorOfHere();
    const { nodes } = await client.nodes();
    const node = nodes.find((one) => one.name === name);
    if (!node) throw new Error(`There is no node '${name}'.`);
    if (node.state !== 'down')
      throw new Error(`The node '${name}' is alive: only one that is down can be given up.`);
    const lost = await findAll(client, { node: name });
    if (!json) print(lossOf(name, lost));
    if (yes === undefined && !(await isConfirmed(name))) {
      printFor(json, { abandoned: false, lost }, 'Nothing was done.');
      return 1;
    }
    await client.changeNode(name, 'abandon');
    printFor(json, { abandoned: true, lost }, `The node ${name} is given up, with all that was on it.`);
    return 0;
  },
});

const aftermath = [
  'Each of them can be deleted by its platform, or made anew by `instances recreate <id>`: empty, with new',
  'credentials. The node may come back later: what is on it then is shown by `orphans`, and is never used again.',
].join('\n');

function lossOf(name: string, lost: readonly InstanceAnswer[]): string {
  if (lost.length === 0) return `There is no instance on the node ${name}: nothing is lost.`;
  const rows = lost.map((one) => [one.id, one.offering, one.plan, one.state, one.bindings, one.parent]);
  return [
    `With the node ${name} all of this is lost, with its data and the credentials of its bindings:`,
    '',
    table(['INSTANCE', 'OFFERING', 'PLAN', 'STATE', 'BINDINGS', 'MADE FOR'], rows),
    '',
    aftermath,
  ].join('\n');
}

/** Who cannot be asked has to say it beforehand. */
async function isConfirmed(name: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new Error(
      'Nothing was done: there is no terminal to ask at. Say --yes to give the node up all the same.',
    );
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Type the name of the node to give it up: `);
    return answer.trim() === name;
  } finally {
    terminal.close();
  }
}
