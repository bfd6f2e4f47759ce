import { wholeNumber } from '../../config/kinds.ts';
import type { ReceiverAnswer } from '../../protocols/operator/wire/webhooks.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { printFor } from '../output/print.ts';
import { argument, asJson, option, optionWithDefault, someText } from '../parameters.ts';
import { table, type Cell } from '../table.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';

const receiver = argument('receiver', someText(), 'the name of the receiver, as `webhooks` shows it');

/** Who is told of what happens. */
export const webhookCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'webhooks',
    description: 'Show who is told of what happens, and how much could not be told yet.',
    options: asJson,
    async run(_given, { json }) {
      const { webhooks } = await (await operatorOfHere()).webhooks();
      const heads = ['RECEIVER', 'TOLD AT', 'EVENTS', 'OFFERINGS', 'WAITING', 'SINCE', 'GIVEN UP', 'TROUBLE'];
      printFor(json, webhooks, table(heads, webhooks.map(rowOf)));
      return 0;
    },
  }),
  defineCommand({
    words: 'webhooks dead',
    description: 'Show what a receiver has not taken for a day, so that it was given up.',
    arguments: [receiver],
    options: {
      limit: optionWithDefault('--limit <number>', wholeNumber(1, 1000), '100', 'at most so many'),
      ...asJson,
    },
    async run([name], { limit, json }) {
      const { messages } = await (await operatorOfHere()).deadWebhooks(name, { limit: String(limit) });
      const rows = messages.map((one) => [one.id, one.created_at, one.event, one.instance_id, one.trouble]);
      printFor(json, messages, table(['MESSAGE', 'OF', 'EVENT', 'INSTANCE', 'TROUBLE'], rows));
      return 0;
    },
  }),
  defineCommand({
    words: 'webhooks retry',
    description: 'Have a receiver told again what was given up.',
    arguments: [receiver],
    options: { message: option('--message <id>', someText(), 'only this one'), ...asJson },
    async run([name], { message, json }) {
      const answer = await (
        await operatorOfHere()
      ).retryWebhooks(name, message === undefined ? {} : { id: message });
      printFor(json, answer, `Told again: ${answer.retried}.`);
      return 0;
    },
  }),
];

function rowOf(one: ReceiverAnswer): readonly Cell[] {
  const { name, target, events, offerings, waiting, dead, trouble } = one;
  return [
    name,
    target,
    events?.join(' ') ?? 'all',
    offerings?.join(' ') ?? 'all',
    waiting,
    one.oldest_waiting,
    dead,
    trouble,
  ];
}
