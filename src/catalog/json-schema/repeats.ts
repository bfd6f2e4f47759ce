/** RE2 repeats at most so often. */
const most = 1000;
/** Longer repetitions would become more than a few copies. */
const mostCopies = 10;

/**
 * The same pattern with `x{0,1024}` as `x{0,1000}x{0,24}`, which is what it means and what RE2 can do. Only what
 * repeats one character, escape or class is written anew: a longer part would be multiplied.
 */
export function withShortRepeats(pattern: string): string {
  return pattern.replaceAll(
    token,
    (whole, atom: string | undefined, from?: string, comma?: string, to?: string) => {
      if (atom === undefined || from === undefined) return whole;
      const least = Number(from);
      const greatest = comma === undefined ? least : to === '' ? undefined : Number(to);
      if (Math.max(least, greatest ?? 0) <= most) return whole;
      if (Math.max(least, greatest ?? 0) > most * mostCopies || (greatest ?? least) < least) return whole;
      // A lazy `?` may follow, which then is that of the last part: only whether there is a match counts.
      return copies(atom, least, greatest);
    },
  );
}

/** An atom with a repetition behind it; else an escape or a class, so that nothing inside them is taken for one. */
const token =
  /((?:\\(?:u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[pP]\{[^}]*\}|c[A-Za-z]|[^])|\[\^?(?:\\[^]|[^\]\\])*\]|[^\\[\](){}*+?|^$]))(?:\{(\d{1,6})(?:(,)(\d{0,6}))?\})?/gu;

function copies(atom: string, least: number, greatest: number | undefined): string {
  const parts: string[] = [];
  let from = least;
  let to = greatest ?? least;
  while (to > 0) {
    const part = { from: Math.min(from, most), to: Math.min(to, most) };
    parts.push(`${atom}{${part.from},${part.to}}`);
    from -= part.from;
    to -= part.to;
  }
  return parts.join('') + (greatest === undefined ? `${atom}*` : '');
}
