import { execFileSync, spawnSync } from 'node:child_process';

export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

/** Is it on the PATH? */
export function isInstalled(shell: Shell): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0;
}

/**
 * What a shell offers for the last word of a line, by its own completion.
 * @param script the file with the completion
 * @param words the words behind the name of the program; the last one is what is being typed
 */
export function offeredBy(shell: Shell, script: string, words: readonly string[]): readonly string[] {
  const output = execFileSync(shell, calls[shell](script, words), { encoding: 'utf8' });
  return output.split('\n').filter((line) => line !== '');
}

const calls: Readonly<Record<Shell, (script: string, words: readonly string[]) => string[]>> = {
  bash: (script, words) => [
    '--norc',
    '-c',
    `source "$1"; shift; COMP_WORDS=(purveyor "$@"); COMP_CWORD=$#; _purveyor; printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    script,
    ...words,
  ],
  // Its own functions for completion want an editor of lines: here they print what they would offer.
  zsh: (script, words) => [
    '-f',
    '-c',
    `compdef() { :; }; _files() { :; }
     _describe() { local w=\${@[-2]} f=\${@[-1]}; for one in \${(P)f}; do print -r -- \${one%%:*}; done; }
     source "$1"; shift; words=(purveyor "$@"); CURRENT=$#words; prefix=$words[CURRENT]
     _purveyor | while read -r one; do [[ $one == $prefix* ]] && print -r -- $one; done; true`,
    'zsh',
    script,
    ...words,
  ],
  fish: (script, words) => [
    '--no-config',
    '-c',
    `source $argv[1]; complete -C (string join -- ' ' purveyor $argv[2..-1]) | string replace -r '\\t.*' ''; true`,
    script,
    ...words,
  ],
};
