import { defineCommand, type CliCommand } from '../command.ts';
import { flag, option, optionWithDefault, someText } from '../parameters.ts';

const ways = {
  run: flag('--run', "run the commands with the platform's own client, instead of printing them"),
  json: flag('--json', 'the commands as JSON'),
};
const usual = {
  name: optionWithDefault('--name <name>', someText(), 'purveyor', 'of the broker, at the platform'),
  update: flag('--update', 'it is known there already: tell the platform anew'),
  ...ways,
};
const open = flag('--open', 'also open every plan to all users');

/** Commands that tell a platform of this broker; what they do is loaded when one is asked for. */
export const registerCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'register cf',
    description: 'Tell Cloud Foundry of this broker: print the commands, or run them.',
    options: { ...usual, open },
    run: async (_given, told) => (await registering()).registerAtCloudFoundry(told),
  }),
  defineCommand({
    words: 'register stackato',
    description: 'The same for Stackato and Helion.',
    options: { ...usual, open },
    run: async (_given, told) => (await registering()).registerAtStackato(told),
  }),
  defineCommand({
    words: 'register kubernetes',
    description: 'The same for the service catalog of Kubernetes.',
    options: {
      ...usual,
      namespace: optionWithDefault(
        '--namespace <name>',
        someText(),
        'default',
        'where the secret with the login lies',
      ),
    },
    run: async (_given, told) => (await registering()).registerAtKubernetes(told),
  }),
  defineCommand({
    words: 'register tsuru',
    description: 'The same for tsuru, to which every offering is a service.',
    options: {
      offering: option('--offering <name>', someText(), 'only this one'),
      team: option('--team <name>', someText(), 'that owns the services; absent: that of who runs it'),
      update: usual.update,
      ...ways,
    },
    run: async (_given, told) => (await registering()).registerAtTsuru(told),
  }),
];

function registering() {
  return import('./register.ts');
}
