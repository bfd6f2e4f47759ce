import { inQuotes, type CompletionPoint } from './points.ts';
import { walk } from './walk.ts';

/** Where nothing is known, bash offers the names of files. */
export function bashScript(points: readonly CompletionPoint[]): string {
  return `# Completion of purveyor for bash.
_purveyor() {
  local -a words=("\${COMP_WORDS[@]}")
  local last=$COMP_CWORD current=\${COMP_WORDS[COMP_CWORD]} fitting=
  COMPREPLY=()
${walk(points, 1)}  if [[ -n $asked ]]; then
    case "$at $asked" in
${points.flatMap(valueCases).join('')}    esac
  elif [[ $current == -* ]]; then
    case "$at" in
${points.map(optionCase).join('')}    esac
  else
    case "$at $place" in
${points.flatMap(wordCases).join('')}    esac
  fi
  COMPREPLY=($(compgen -W "$fitting" -- "$current"))
}
complete -o default -F _purveyor purveyor
`;
}

function valueCases({ path, options }: CompletionPoint): readonly string[] {
  return options
    .filter(({ choices }) => choices.length > 0)
    .map(({ name, choices }) => clause(`${path} ${name}`, choices));
}

function optionCase({ path, options }: CompletionPoint): string {
  return clause(
    path,
    options.map(({ name }) => name),
  );
}

function wordCases({ path, commands, arguments: args }: CompletionPoint): readonly string[] {
  const names = commands.map(({ name }) => name);
  if (names.length > 0) return [clause(`${path} 0`, names)];
  return args.flatMap((choices, place) => (choices.length > 0 ? [clause(`${path} ${place}`, choices)] : []));
}

function clause(pattern: string, words: readonly string[]): string {
  return `      ${inQuotes(pattern)}) fitting=${inQuotes(words.join(' '))} ;;\n`;
}
