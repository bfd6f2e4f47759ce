import { inQuotes, valuePatterns, type CompletionPoint } from './points.ts';

/**
 * Statements of bash and zsh alike that go through the words before the one to complete. They need `words` and
 * `last`, the place of the word to complete, and leave the words of the command in `at`, the number of
 * its arguments so far in `place` and, where the value of an option is to come, its name in `asked`.
 * @param first the place of the first word behind the name of the program
 */
export function walk(points: readonly CompletionPoint[], first: number): string {
  const paths = points.filter(({ path }) => path !== '').map(({ path }) => inQuotes(path));
  return `  local at= asked= word next i place=0
  for ((i = ${first}; i < last; i++)); do
    word=\${words[i]}
    next="\${at:+$at }$word"
    if [[ -n $asked ]]; then asked=; continue; fi
    if [[ $word == -- ]]; then return; fi
    case "$at $word" in
      ${valuePatterns(points).join(' | ')}) asked=$word; continue ;;
      ' help') continue ;;
      *' -'*) continue ;;
    esac
    case "$next" in
      ${paths.join(' | ')}) if ((place == 0)); then at=$next; else ((place += 1)); fi ;;
      *) ((place += 1)) ;;
    esac
  done
`;
}
