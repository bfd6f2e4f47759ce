import { inQuotes, type Candidate, type CompletionPoint } from './points.ts';
import { walk } from './walk.ts';

/** Where nothing is known, zsh offers the names of files. It can be sourced, or stand in a directory of `fpath`. */
export function zshScript(points: readonly CompletionPoint[]): string {
  return `#compdef purveyor
# Completion of purveyor for zsh.
_purveyor() {
  local last=$CURRENT
  local -a fitting
${walk(points, 2)}  if [[ -n $asked ]]; then
    case "$at $asked" in
${points.flatMap(valueCases).join('')}    esac
  elif [[ \${words[CURRENT]} == -* ]]; then
    case "$at" in
${points.map(({ path, options }) => clause(path, options)).join('')}    esac
    _describe -o option fitting
    return
  else
    case "$at $place" in
${points.flatMap(wordCases).join('')}    esac
  fi
  if ((\${#fitting})); then _describe word fitting; else _files; fi
}
if [[ \${funcstack[1]} == _purveyor ]]; then _purveyor "$@"; else compdef _purveyor purveyor; fi
`;
}

function valueCases({ path, options }: CompletionPoint): readonly string[] {
  return options
    .filter(({ choices }) => choices.length > 0)
    .map(({ name, choices }) => clause(`${path} ${name}`, choices.map(asCandidate)));
}

function wordCases({ path, commands, arguments: args }: CompletionPoint): readonly string[] {
  if (commands.length > 0) return [clause(`${path} 0`, commands)];
  return args.flatMap((choices, place) =>
    choices.length > 0 ? [clause(`${path} ${place}`, choices.map(asCandidate))] : [],
  );
}

function asCandidate(name: string): Candidate {
  return { name, meaning: '' };
}

/** `_describe` splits name and meaning at the first colon that has no backslash. */
function clause(pattern: string, candidates: readonly Candidate[]): string {
  const entries = candidates.map(({ name, meaning }) => {
    const escaped = name.replaceAll(':', '\\:');
    return inQuotes(meaning === '' ? escaped : `${escaped}:${meaning}`);
  });
  return `      ${inQuotes(pattern)}) fitting=(${entries.join(' ')}) ;;\n`;
}
