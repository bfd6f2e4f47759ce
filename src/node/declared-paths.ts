import type { ServicePlan } from '../broker/catalog.ts';
import { isObject, type Json } from '../broker/json.ts';

/**
 * The paths that an offering file itself names as words of a command or values of an environment. What is filled in is
 * none of them: that may be a tenant's.
 */
export function declaredPaths(plan: Declared): readonly string[] {
  const paths = known.get(plan) ?? pathsIn(plan);
  known.set(plan, paths);
  return paths;
}

type Declared = Pick<ServicePlan, 'making' | 'operating'>;

/** It is asked for in every step, and a plan never changes. */
const known = new WeakMap<Declared, readonly string[]>();

function pathsIn({ making, operating }: Declared): readonly string[] {
  const hooks = Object.values(operating.hooks).flatMap(({ run, env }) => [...run, ...Object.values(env)]);
  return [...new Set([...hooks, ...wordsIn(making.config['processes'])])].filter(isPath);
}

/** Of commands and environments, however deep. */
function wordsIn(value: Json | undefined, counts = false): readonly string[] {
  if (typeof value === 'string') return counts ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((one: Json) => wordsIn(one, counts));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    wordsIn(one, counts || ['run', 'env', 'command'].includes(name)),
  );
}

function isPath(word: string): boolean {
  return word.startsWith('/') && !word.includes('{{') && !word.includes('\0');
}
