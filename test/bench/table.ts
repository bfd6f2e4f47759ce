export function perSecond(count: number): string {
  return `${count >= 100 ? Math.round(count) : count.toFixed(1)}/s`;
}

export function milliseconds(ms: number): string {
  return `${ms >= 100 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

export function ratio(ours: number, theirs: number): string {
  return (ours / theirs).toFixed(2);
}

/** In columns; the first row names them. */
export function table(all: readonly (readonly string[])[]): string {
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
