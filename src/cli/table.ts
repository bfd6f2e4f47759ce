/** A cell; undefined is shown as a dash. */
export type Cell = string | number | undefined;

/** Columns of equal width, as text for people; an empty table says so. */
export function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return 'There is nothing to show.';
  const lines = [heads, ...rows.map((row) => row.map(shown))];
  const widths = heads.map((_head, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Widths below which a column is not cut, whatever does not fit. */
const least = 6;

/**
 * The same, no line wider than this: the widest columns but the first are cut, and where that is not enough the first,
 * which names the row, stands on a line of its own.
 * @param whole heads of columns that are never cut
 */
export function tableWithin(
  width: number,
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
  whole: readonly string[] = [],
): string {
  const natural = table(heads, rows);
  if (rows.length === 0 || widest(natural) <= width) return natural;
  const cut = table(heads, cutTo(width, heads, rows, whole));
  if (widest(cut) <= width) return cut;
  const inner = { heads: heads.slice(1), rows: rows.map((row) => row.slice(1)) };
  const indent = '  ';
  const rest = cutTo(width - indent.length, inner.heads, inner.rows, whole, 0);
  const [head = '', ...lines] = table(inner.heads, rest).split('\n');
  const names = rows.map(([name]) => shown(name));
  return [
    heads[0] ?? '',
    indent + head,
    ...lines.flatMap((line, index) => [names[index] ?? '', indent + line]),
  ].join('\n');
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

function cutTo(
  width: number,
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
  whole: readonly string[],
  first = 1,
): readonly (readonly string[])[] {
  const cells = rows.map((row) => row.map(shown));
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const may = heads.map((head, column) => column >= first && !whole.includes(head));
  for (;;) {
    const excess = widths.reduce((sum, one) => sum + one, 2 * (heads.length - 1)) - width;
    const most = Math.max(
      ...widths.filter((one, column) => may[column] && one > Math.max(least, (heads[column] ?? '').length)),
      0,
    );
    if (excess <= 0 || most === 0) break;
    widths[widths.findIndex((one, column) => may[column] && one === most)] = most - 1;
  }
  return cells.map((row) => row.map((cell, column) => shortened(cell, widths[column] ?? 0)));
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

// What a unit or a program says must not move the cursor.
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}]/gu;

function shown(cell: Cell): string {
  const text = printable(String(cell ?? ''));
  return text === '' ? '-' : text;
}

/** On one line, with nothing in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(unprintable, ' ');
}
