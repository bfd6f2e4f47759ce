/** Something that is wrong with an offering file; one error keeps the whole catalog from being used. */
export interface Problem {
  readonly file: string;
  /** From 1 on; absent for what is no text, as a directory. */
  readonly line?: number;
  readonly column?: number;
  /** The place in the file: `plans[0].name`; empty for the file itself. */
  readonly path: string;
  readonly reason: string;
  readonly level: 'error' | 'warning';
}

/** A problem of a file whose name the finder does not know. */
export type Finding = Omit<Problem, 'file'>;

export function mistake(path: string, reason: string): Finding {
  return { path, reason, level: 'error' };
}

export function warning(path: string, reason: string): Finding {
  return { path, reason, level: 'warning' };
}

export function isError({ level }: { readonly level: Problem['level'] }): boolean {
  return level === 'error';
}

/** By file and place, each problem once. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  const once = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...once.values()].toSorted(
    (a, b) =>
      inOrder(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0) ||
      inOrder(a.path, b.path) ||
      inOrder(a.reason, b.reason),
  );
}

/** For people and their editors: `file:line:column: path: reason`, one line for each problem. */
export function problemLines(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ file, line: row, column, path, reason, level }) => {
    const place = row === undefined ? file : `${file}:${row}:${column ?? 1}`;
    const line = [place, path, reason].filter((part) => part).join(': ');
    return (level === 'warning' ? `${line} (warning)` : line).replaceAll(/\s*\n\s*/g, ' ');
  });
}

let collator: Intl.Collator | undefined;

/** `plans[10]` comes after `plans[9]`. */
function inOrder(a: string, b: string): number {
  // Made when it is needed: to make one takes longer than to judge a good file.
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(a, b);
}
