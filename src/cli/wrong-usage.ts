import type { Command, CommanderError } from 'commander';

/**
 * What commander refuses, as a sentence that says what would be right.
 * @param command at which it stopped
 */
export function wrongUsage(command: Command, { code, message }: CommanderError): Error {
  const sentence = sentences[code]?.(command, message) ?? plain(message);
  return new Error(`${sentence} See ${wordsOf(command)} --help.`.replace(/  +/g, ' '));
}

/** By the codes of commander's errors; what it quotes is found in its message alone. */
const sentences: Readonly<Record<string, (command: Command, message: string) => string>> = {
  'commander.missingArgument': (command) => {
    const missing = command.registeredArguments[command.args.length];
    return `${wordsOf(command)} needs <${missing?.name()}>: ${missing?.description}.`;
  },
  'commander.excessArguments': (command) => {
    const most = command.registeredArguments.length;
    const takes = most === 0 ? 'no argument' : most === 1 ? 'one argument' : `${most} arguments`;
    return `${wordsOf(command)} takes ${takes} and was given ${command.args.length}.`;
  },
  'commander.optionMissingArgument': (_command, message) => {
    const [, flags = ''] = /'(.*)'/.exec(message) ?? [];
    const [name = '', value = ''] = flags.split(' ');
    return `${name} needs a value: ${value}.`;
  },
  'commander.unknownOption': (_command, message) => {
    const [, name = ''] = /'([^]*)'/.exec(message) ?? [];
    const [, near] = /\(Did you mean (.*)\?\)$/.exec(message) ?? [];
    return `There is no option '${name}'.${near === undefined ? '' : ` Did you mean ${near}?`}`;
  },
};

function plain(message: string): string {
  const text = message.replace(/^error: /, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

/** As it is called, without the name of the program. */
function wordsOf(command: Command): string {
  const words: string[] = [];
  for (let one: Command | null = command; one?.parent; one = one.parent) words.unshift(one.name());
  return words.join(' ');
}
