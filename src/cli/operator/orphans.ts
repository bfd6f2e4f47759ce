import { nodeName } from '../../config/kinds.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import type { OrphanAnswer } from '../../protocols/operator/wire/broker.ts';
import { argument, asJson, option, requiredOption, someArguments, someText } from '../parameters.ts';
import { parametersOption } from '../platform/parameters.ts';
import { doAndTell } from './asking/until-done.ts';
import { table } from '../table.ts';
import { print, printFor, printJson } from '../output/print.ts';

/** Things for which there is no instance. */
export const orphanCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'orphans',
    description: 'Show what is there without an instance; nothing of it is removed by itself.',
    options: asJson,
    async run(_given, { json }) {
      const { orphans } = await (await operatorOfHere()).orphans();
      const rows = orphans.map((one) => [
        one.name,
        one.provisioner,
        one.node,
        stateOf(one),
        one.first_seen_at,
      ]);
      printFor(json, orphans, table(['NAME', 'PROVISIONER', 'NODE', 'STATE', 'FIRST SEEN'], rows));
      return 0;
    },
  }),
  defineCommand({
    words: 'orphans remove',
    description: 'Have orphans removed that are final; each by its name.',
    arguments: [someArguments('names', someText(), 'the names of orphans')],
    options: {
      provisioner: option('--provisioner <name>', someText(), 'only those that this provisioner found'),
      node: option('--node <name>', nodeName(), 'only those on this node'),
      ...asJson,
    },
    async run([names], { provisioner, node, json }) {
      const client = await operatorOfHere();
      const { orphans } = await client.orphans();
      const removed: OrphanAnswer[] = [];
      for (const name of names) {
        const fitting = orphans.filter(
          (one) =>
            one.name === name &&
            (provisioner === undefined || one.provisioner === provisioner) &&
            (node === undefined || one.node === node),
        );
        const one = theOne(fitting, name);
        await client.removeOrphan({ provisioner: one.provisioner, node: one.node, name });
        removed.push(one);
        if (!json) print(`${name} will be removed at the next look.`);
      }
      if (json) printJson(removed);
      return 0;
    },
  }),
  defineCommand({
    words: 'instances adopt',
    description: 'Make an instance of what exists already: an orphan, or what no broker has made.',
    arguments: [
      argument('id', someText(), 'the id that the instance is to have'),
      argument('thing', someText(), 'what it is made of, as `orphans` names things: "database shop"'),
    ],
    options: {
      offering: requiredOption('--offering <name>', someText(), 'of which it is an instance'),
      plan: requiredOption('--plan <name>', someText(), 'of which plan'),
      node: option('--node <name>', nodeName(), 'where it is, if no orphan of this name says it'),
      organizationGuid: option('--organization-guid <guid>', someText(), 'whose it is'),
      spaceGuid: option('--space-guid <guid>', someText(), 'in which space'),
      parameters: parametersOption,
      ...asJson,
    },
    run: ([id, thing], { json, organizationGuid, spaceGuid, ...said }) =>
      doAndTell({ verb: 'adopt', id, json }, (client) =>
        client.adopt(id, { thing, ...said, organization_guid: organizationGuid, space_guid: spaceGuid }),
      ),
  }),
];

function stateOf({ final, condemned }: OrphanAnswer): string {
  if (condemned) return 'being removed';
  return final ? 'final' : 'suspect';
}

function theOne(fitting: readonly OrphanAnswer[], name: string): OrphanAnswer {
  const [one, ...more] = fitting;
  if (!one) throw new Error(`There is no orphan '${name}'.`);
  if (more.length > 0)
    throw new Error(`There are several orphans '${name}': say which one with --provisioner and --node.`);
  return one;
}
