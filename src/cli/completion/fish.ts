import { type CompletionPoint } from './points.ts';

/** Where nothing is known, fish offers the names of files. */
export function fishScript(points: readonly CompletionPoint[]): string {
  return `# Completion of purveyor for fish.
function __purveyor_at --description 'The words of the command so far, and the number of its arguments'
    set -l words (commandline -opc)
    set -l at
    set -l place 0
    set -l asked
    for word in $words[2..-1]
        if test -n "$asked"
            set asked
            continue
        end
        if test "$word" = --
            set place 1000
            break
        end
        set -l next (string join ' ' -- $at $word)
        switch "$at $word"
            case ${valueCases(points)}
                set asked $word
                continue
            case ' help' '* -*'
                continue
        end
        switch "$next"
            case ${points.flatMap(({ path }) => (path === '' ? [] : [quoted(path)])).join(' ')}
                if test $place -eq 0
                    set at $next
                else
                    set place (math $place + 1)
                end
            case '*'
                set place (math $place + 1)
        end
    end
    echo "$at $place"
end
function __purveyor_is --description 'Are these the words so far, and is this the number of the argument?'
    test (__purveyor_at) = "$argv[1]"
end
function __purveyor_in --description 'Are these the words so far?'
    string match --quiet --regex '^'"$argv[1]"' \\d{1,3}$' -- (__purveyor_at)
end
${points.flatMap((point) => [...commandLines(point), ...argumentLines(point), ...optionLines(point)]).join('\n')}
`;
}

function valueCases(points: readonly CompletionPoint[]): string {
  return points
    .flatMap(({ path, options }) =>
      options.filter((one) => one.takesValue).map(({ name }) => quoted(`${path} ${name}`)),
    )
    .join(' ');
}

function commandLines({ path, commands }: CompletionPoint): readonly string[] {
  return commands.map(
    ({ name, meaning }) => `${conditioned('__purveyor_is', `${path} 0`)} -f -a ${name} -d ${quoted(meaning)}`,
  );
}

function argumentLines({ path, arguments: args }: CompletionPoint): readonly string[] {
  return args.flatMap((choices, place) =>
    choices.length > 0
      ? [`${conditioned('__purveyor_is', `${path} ${place}`)} -f -a ${quoted(choices.join(' '))}`]
      : [],
  );
}

function optionLines({ path, options }: CompletionPoint): readonly string[] {
  return options.map(({ name, short, meaning, takesValue, choices }) => {
    const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
    const letter = short === undefined ? '' : ` -s ${short.slice(1)}`;
    const long = name.replace(/^--/, '');
    return `${conditioned('__purveyor_in', path)} -l ${long}${letter}${value} -d ${quoted(meaning)}`;
  });
}

function conditioned(test: string, words: string): string {
  return `complete -c purveyor -n ${quoted(`${test} "${words}"`)}`;
}

/** In fish a backslash may stand before a quote, and before itself. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
