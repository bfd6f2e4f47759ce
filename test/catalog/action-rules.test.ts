import { linesOf } from './folder.ts';
import { aRunner } from './runner-rows.ts';

/** The rules for actions that an offering declares, and for the hook that does them. */

const flush = { description: 'All is gone', parameters: { depth: { type: 'integer', default: 1 } } };
const hook = { run: ['true'] };

test.each<[rule: string, changes: object, lines: readonly string[]]>([
  [
    'are done by one hook, which is told their names and parameters',
    {
      actions: { flush, 'fail-over': { description: 'To another one' } },
      hooks: {
        action: { ...hook, env: { NAME: '{{asked.name}}', DEPTH: '{{asked.parameters.depth}}' } },
      },
    },
    [],
  ],
  ['need the hook', { actions: { flush }, hooks: {} }, ['actions: There is no hook action that does them.']],
  [
    'are what the hook is for',
    { hooks: { action: hook } },
    ['hooks.action: There are no actions that it could do.'],
  ],
  [
    'do not take the names of what all instances can',
    { actions: { restart: { description: 'Otherwise' } }, hooks: { action: hook } },
    ['actions.restart: All instances have an action of this name. Choose another one.'],
  ],
  [
    'have names that stand in an address, and a description',
    { actions: { 'A B': {} }, hooks: { action: hook } },
    [
      'actions["A B"]: The name must be small letters, digits and -, a letter first.',
      'actions["A B"].description: The key is missing.',
    ],
  ],
  [
    'have parameters whose defaults their own schema allows',
    {
      actions: { flush: { ...flush, parameters: { depth: { type: 'integer', default: 'deep' } } } },
      hooks: { action: hook },
    },
    ["actions.flush.parameters.depth.default: The parameter 'depth' must be a whole number."],
  ],
  [
    'are named in the hook alone, and their parameters in its env',
    {
      actions: { flush },
      hooks: {
        action: {
          run: ['echo', '{{asked.parameters.depth}}', '{{asked.name}}'],
          env: { A: '{{asked.parameters.death}}', B: '{{asked.who}}' },
        },
        start: { run: ['true'], env: { A: '{{asked.name}}' } },
      },
    },
    [
      "hooks.action.env.A: {{asked.parameters.death}}: No action declares such a parameter. Did you mean 'depth'?",
      'hooks.action.env.B: {{asked.who}}: There are: asked.name, asked.parameters.<name>, asked.former.<secret>.',
      'hooks.action.run[1]: {{asked.parameters.depth}}: It may be missing at times: only env, which is without such a variable then, can hold it.',
      'hooks.start.env.A: {{asked.name}}: Only the hook action is told what was asked for.',
    ],
  ],
])('Actions %s', async (_rule, changes, lines) => {
  expect(await linesOf(aRunner(changes))).toEqual(lines);
});
