import type { Command } from 'commander';

/**
 * Refuses words that name no command, before they are taken for arguments of the standard one.
 * @param path the words before
 * @throws Error with the commands that begin alike
 */
export function requireKnown(
  { commands }: Command,
  [word, ...rest]: readonly string[],
  path: readonly string[] = [],
): void {
  if (word === undefined || word.startsWith('-') || commands.length === 0) return;
  const named = commands.find((command) => command.name() === word);
  if (named) return requireKnown(named, rest, [...path, word]);
  const wordsOf = (name: string) => [...path, name].join(' ');
  const alike = commands.map((command) => command.name()).filter((name) => beginAlike(name, word));
  const near = alike.length > 0 ? ` Near to it: ${alike.map(wordsOf).join(', ')}.` : '';
  throw new Error(`There is no command '${wordsOf(word)}'.${near} See ${wordsOf('--help')}.`);
}

function beginAlike(name: string, word: string): boolean {
  return name.slice(0, 2) === word.slice(0, 2);
}
