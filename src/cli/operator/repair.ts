import { defineCommand, type CliCommand } from '../command.ts';
import { argument, someText } from '../parameters.ts';
import { print } from '../output/print.ts';
import { instanceId } from './instances.ts';
import { table } from '../table.ts';
import { operatorOfHere } from './operator-of-here.ts';
import { describeOperation } from './instance-answers.ts';
import { leftBehind, doAndTell, untilOver, untilRemoved } from './until-done.ts';

const operationId = argument('id', someText(), 'the id of the operation, as `operations` shows it');
const again = argument('again', someText(), 'the id once more');

/** What helps when an instance or binding can be neither used nor deleted any more. */
export const repairCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'operations show',
    description: 'Show one: what it does or did, and how it ended.',
    arguments: [operationId],
    async run([id]) {
      const one = await operatorOfHere().operation(id);
      print(`${one.created_at}  ${one.instance_id}  ${describeOperation(one)}`);
      return 0;
    },
  }),
  defineCommand({
    words: 'operations retry',
    description: 'Ask once more for what has failed, from where it failed; a create from its beginning.',
    arguments: [operationId],
    async run([id]) {
      const client = operatorOfHere();
      const { operation } = await client.repair(id, 'retry');
      const ended = operation && (await untilOver(client, operation));
      print(ended ? describeOperation(ended) : 'retry succeeded');
      return ended?.state === 'failed' ? 1 : 0;
    },
  }),
  defineCommand({
    words: 'operations cancel',
    description: 'End one that is in progress: it fails, and is undone as far as failures are.',
    arguments: [operationId],
    async run([id]) {
      const client = operatorOfHere();
      const { operation } = await client.repair(id, 'cancel');
      const ended = operation && (await untilOver(client, operation));
      print(ended ? describeOperation(ended) : 'cancel succeeded');
      return ended?.state === 'succeeded' ? 1 : 0;
    },
  }),
  defineCommand({
    words: 'instances missing',
    description: 'Show instances of which nothing is there; 1 when there are any, or it could not be seen.',
    async run() {
      const { missing, unseen } = await operatorOfHere().missing();
      const rows = missing.map(({ id, key, provisioner, node }) => [id, key, provisioner, node]);
      print(table(['INSTANCE', 'KEY', 'PROVISIONER', 'NODE'], rows));
      for (const sentence of unseen) console.error(sentence);
      return missing.length + unseen.length > 0 ? 1 : 0;
    },
  }),
  defineCommand({
    words: 'instances purge',
    description: 'Forget one and remove nothing of it, whatever state it is in: say its id twice.',
    arguments: [instanceId, again],
    async run([id, confirm]) {
      const { left } = await operatorOfHere().purgeInstance(id, confirm);
      print(`The instance ${id} is forgotten.\n${leftBehind(left)}`);
      return 0;
    },
  }),
  defineCommand({
    words: 'instances force-delete',
    description: 'Delete one as far as that can be done, and forget the rest of it: say its id twice.',
    arguments: [instanceId, again],
    run: async ([id, confirm]) =>
      doAndTell('delete', id, (client) => client.forceDelete(id, confirm), untilRemoved),
  }),
  defineCommand({
    words: 'instances purge-binding',
    description: 'Forget a binding and revoke nothing: say its id twice.',
    arguments: [
      instanceId,
      argument('binding', someText(), 'the id of the binding'),
      argument('again', someText(), 'the id of the binding once more'),
    ],
    async run([id, binding, confirm]) {
      const { left } = await operatorOfHere().purgeBinding(id, binding, confirm);
      print(`The binding ${binding} is forgotten.\n${leftBehind(left)}`);
      return 0;
    },
  }),
];
