import type { OperationAnswer } from '../../protocols/operator/wire/operations.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { argument, asJson, someText } from '../parameters.ts';
import { printFor } from '../output/print.ts';
import { instanceId } from './instances.ts';
import { table } from '../table.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import { describeOperation } from './instance-answers.ts';
import { leftBehind, doAndTell, untilOver, untilRemoved } from './asking/until-done.ts';

const operationId = argument('id', someText(), 'the id of the operation, as `operations` shows it');
const again = argument('again', someText(), 'the id once more');

/** What helps when an instance or binding can be neither used nor deleted any more. */
export const repairCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'operations show',
    description: 'Show one: what it does or did, and how it ended.',
    arguments: [operationId],
    options: asJson,
    async run([id], { json }) {
      const one = await (await operatorOfHere()).operation(id);
      printFor(json, one, `${one.created_at}  ${one.instance_id}  ${describeOperation(one)}`);
      return 0;
    },
  }),
  defineCommand({
    words: 'operations retry',
    description: 'Ask once more for what has failed, from where it failed; a create from its beginning.',
    arguments: [operationId],
    options: asJson,
    async run([id], { json }) {
      const ended = await repair(id, 'retry', json);
      return ended?.state === 'failed' ? 1 : 0;
    },
  }),
  defineCommand({
    words: 'operations cancel',
    description: 'End one that is in progress: it fails, and is undone as far as failures are.',
    arguments: [operationId],
    options: asJson,
    async run([id], { json }) {
      const ended = await repair(id, 'cancel', json);
      return ended?.state === 'succeeded' ? 1 : 0;
    },
  }),
  defineCommand({
    words: 'instances missing',
    description: 'Show instances of which nothing is there; 1 when there are any, or it could not be seen.',
    options: asJson,
    async run(_given, { json }) {
      const { missing, unseen } = await (await operatorOfHere()).missing();
      const rows = missing.map(({ id, key, provisioner, node }) => [id, key, provisioner, node]);
      printFor(json, { missing, unseen }, table(['INSTANCE', 'KEY', 'PROVISIONER', 'NODE'], rows));
      for (const sentence of json ? [] : unseen) console.error(sentence);
      return missing.length + unseen.length > 0 ? 1 : 0;
    },
  }),
  defineCommand({
    words: 'instances purge',
    description: 'Forget one and remove nothing of it, whatever state it is in: say its id twice.',
    arguments: [instanceId, again],
    options: asJson,
    async run([id, confirm], { json }) {
      const { left } = await (await operatorOfHere()).purgeInstance(id, confirm);
      printFor(json, { left }, `The instance ${id} is forgotten.\n${leftBehind(left)}`);
      return 0;
    },
  }),
  defineCommand({
    words: 'instances force-delete',
    description: 'Delete one as far as that can be done, and forget the rest of it: say its id twice.',
    arguments: [instanceId, again],
    options: asJson,
    run: async ([id, confirm], { json }) =>
      doAndTell({ verb: 'delete', id, json, wait: untilRemoved }, (client) =>
        client.forceDelete(id, confirm),
      ),
  }),
  defineCommand({
    words: 'instances undelete',
    description: 'Bring back one that was deleted and is kept, and start it; its platform has to be told.',
    arguments: [instanceId],
    options: asJson,
    run: async ([id], { json }) =>
      doAndTell({ verb: 'undelete', id, json }, (client) => client.act(id, 'undelete')),
  }),
  protection('protect', 'Protect one against deletion, by its platform and by operators.'),
  protection('unprotect', 'Let one be deleted again.'),
  defineCommand({
    words: 'instances purge-binding',
    description: 'Forget a binding and revoke nothing: say its id twice.',
    arguments: [
      instanceId,
      argument('binding', someText(), 'the id of the binding'),
      argument('again', someText(), 'the id of the binding once more'),
    ],
    options: asJson,
    async run([id, binding, confirm], { json }) {
      const { left } = await (await operatorOfHere()).purgeBinding(id, binding, confirm);
      printFor(json, { left }, `The binding ${binding} is forgotten.\n${leftBehind(left)}`);
      return 0;
    },
  }),
];

function protection(verb: 'protect' | 'unprotect', description: string): CliCommand {
  return defineCommand({
    words: `instances ${verb}`,
    description,
    arguments: [instanceId],
    options: asJson,
    run: async ([id], { json }) => doAndTell({ verb, id, json }, (client) => client.act(id, verb)),
  });
}

/** Has it done, waits for its end, and tells it. */
async function repair(
  id: string,
  verb: 'retry' | 'cancel',
  json: true | undefined,
): Promise<OperationAnswer | undefined> {
  const client = await operatorOfHere();
  const { operation } = await client.repair(id, verb);
  const ended = operation && (await untilOver(client, operation));
  printFor(json, { operation: ended }, ended ? describeOperation(ended) : `${verb} succeeded`);
  return ended;
}
