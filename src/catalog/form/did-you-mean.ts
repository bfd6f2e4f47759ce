/** ` Did you mean 'plans'?` with a blank first, for a word that is nearly one of those; else an empty text. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = nearestOf(word, known);
  return nearest === undefined ? '' : ` Did you mean '${nearest}'?`;
}

/** The word that takes the fewest changes, when they are few for its length. */
export function nearestOf(word: string, known: readonly string[]): string | undefined {
  if (word.length > longest) return undefined;
  const plain = plainly(word);
  const [best] = known
    .filter((candidate) => candidate !== word && Math.abs(candidate.length - word.length) <= mostChanges)
    .map((candidate) => ({ candidate, changes: changesBetween(plain, plainly(candidate)) }))
    .toSorted((a, b) => a.changes - b.changes);
  if (!best) return undefined;
  const length = Math.max(word.length, best.candidate.length);
  const allowed = length < 3 ? 0 : Math.min(mostChanges, Math.max(1, Math.floor(length / 4)));
  return best.changes <= allowed ? best.candidate : undefined;
}

const longest = 100;
const mostChanges = 3;

/** `maxInstances`, `max-instances` and `max_instances` are the same mistake. */
function plainly(word: string): string {
  return word
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
}

/** Characters to put in, take out, replace or swap with their neighbour (optimal string alignment). */
function changesBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      const least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + differs);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(isSwap ? Math.min(least, (before[j - 2] ?? 0) + 1) : least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
