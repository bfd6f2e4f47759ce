export interface PageTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The table of a Markdown page that comes after the comment `<!-- marker -->`; a cell is the text that stands in it. */
export function tableAfter(page: string, marker: string): PageTable {
  const [, after] = page.split(`<!-- ${marker} -->`);
  if (after === undefined) throw new Error(`The page has no table '${marker}'.`);
  const lines = after.trimStart().split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  const [head = [], , ...rows] = lines.slice(0, end < 0 ? lines.length : end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  if (rows.some((row) => row.length !== head.length))
    throw new Error(`The table '${marker}' has uneven rows.`);
  return { head, rows };
}
