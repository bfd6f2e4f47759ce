import type { Command } from 'commander';
import { nearestOf } from '../catalog/form/did-you-mean.ts';

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
  const names = commands.map((command) => command.name());
  const nearest = nearestOf(word, names);
  const alike = names.filter((name) => name === nearest || beginAlike(name, word));
  // `lint` may be meant as `catalog lint`.
  const deeper = commands.flatMap((one) => one.commands.map((command) => `${one.name()} ${command.name()}`));
  const near = [...alike, ...deeper.filter((name) => name.endsWith(` ${word}`))].map(wordsOf).join(', ');
  const hint = near === '' ? '' : ` Near to it: ${near}.`;
  throw new Error(`There is no command '${wordsOf(word)}'.${hint} See ${wordsOf('--help')}.`);
}

function beginAlike(name: string, word: string): boolean {
  return name.slice(0, 2) === word.slice(0, 2);
}
