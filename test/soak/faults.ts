import type { Look } from './run.ts';

/** By how much of it memory may rise in all, as code is compiled and memories that are bounded fill. */
const mostRisen = 0.1;
/** What comes and goes by itself, such as connections that are kept for a while. */
const play = { handles: 15, descriptors: 15, connections: 8, files: 10 } as const;

/** What grows, as sentences. */
export function faultsIn(looks: readonly Look[]): readonly string[] {
  const later = settled(looks);
  const half = Math.ceil(later.length / 2);
  const most = (some: readonly Look[], name: keyof Look) => Math.max(...some.map((look) => look[name]));
  const faults = (Object.keys(play) as (keyof typeof play)[]).flatMap((name) => {
    const [before, after] = [most(later.slice(0, half), name), most(later.slice(half), name)];
    return after > before + play[name] ? [`There were ${before} ${name}, and later ${after}.`] : [];
  });
  const risen = riseOf(later.map(({ memory }) => memory));
  if (risen > mostRisen) faults.push(`Memory has risen by ${Math.round(risen * 100)} %.`);
  const rows = most(looks, 'rows');
  if (rows > 0) faults.push(`${rows} instances and bindings were left.`);
  return faults;
}

/** By the line that lies nearest to all of them: from its begin to its end, as a part of what there was. */
export function riseOf(all: readonly number[]): number {
  const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
  const middle = (all.length - 1) / 2;
  const along = all.reduce((sum, one, at) => sum + (at - middle) * (one - mean), 0);
  const across = all.reduce((sum, _one, at) => sum + (at - middle) ** 2, 0);
  const rise = (along / across) * (all.length - 1);
  return rise / (mean - rise / 2);
}

/** Without those of the beginning, in which most of that happens. */
function settled<One>(all: readonly One[]): readonly One[] {
  return all.slice(Math.floor(all.length * 0.4));
}
