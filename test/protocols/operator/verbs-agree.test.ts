import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { operatorCommands } from '../../../src/cli/operator/commands.ts';
import { operatorRoutes } from '../../../src/protocols/operator/routes.ts';
import type { OperatorRoute } from '../../../src/protocols/operator/route.ts';
import { actions } from '../../../src/protocols/pages/content/actions.ts';

/** What operators do has one name in the operator API, on the command line and on pages; what is missing has a reason. */

const routes: readonly (readonly [verb: string, route: OperatorRoute])[] = Object.entries(operatorRoutes);
const verbs = routes.map(([verb]) => verb);

/** Commands that ask several routes, or one of them in a way of their own. */
const commandsAlone: Readonly<Record<string, string>> = {
  'audit export': 'It reads every page of `audit`, as lines for programs.',
};

const byTerminal = 'It is for terminals and programs: what services write or are asked may hold secrets.';
const byRun = 'A run is begun by the command that follows it, with all that it may be asked for.';
const byList = 'It is chosen from a list of backups, which no page shows.';
const forPrograms = 'It is what programs read.';

/** What no page has, and why. */
const withoutPage: Readonly<Record<string, string>> = {
  'instances exec': byTerminal,
  'instances log': byTerminal,
  'instances dashboard-link': 'A page would keep the secret in the address of the link in sight.',
  'upgrades start': byRun,
  backups: byList,
  'backups restore': byList,
  'backups delete': byList,
  webhooks: 'Receivers are told of in the log and in /metrics.',
  'webhooks dead': 'What was given up is told anew by the command, after a receiver was mended.',
  'webhooks retry': 'What was given up is told anew by the command, after a receiver was mended.',
  'nodes show': 'The page of all nodes shows as much of each.',
  openapi: forPrograms,
};

test('Each route of the operator API is a command of the same name, and each such command is a route.', () => {
  const commands = operatorCommands.map(({ words }) => words);
  expect(commands.filter((words) => !Object.hasOwn(commandsAlone, words)).toSorted()).toEqual(
    verbs.toSorted(),
  );
});

test('Each route of the operator API is on a page under its name, or has a reason why not.', () => {
  const pages = globSync('src/protocols/pages/**/*.ts', { cwd: join(import.meta.dirname, '../../..') });
  const asked = pages.flatMap((file) =>
    [
      ...readFileSync(join(import.meta.dirname, '../../..', file), 'utf8').matchAll(/\bask\('([a-z -]+)'/g),
    ].map(([, verb = '']) => verb),
  );
  const done = Object.values(actions).map(({ verb }): string => verb);
  const missing = routes
    .filter(([verb, { method }]) => !(method === 'GET' ? asked : done).includes(verb))
    .map(([verb]) => verb);
  expect(missing.toSorted()).toEqual(Object.keys(withoutPage).toSorted());
});
