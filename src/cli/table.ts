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
