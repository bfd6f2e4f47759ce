import type { Kind } from '../cluster.ts';

/** An object of an offering, as far as its place in the order goes. */
export interface Ordered extends Kind {
  readonly name: string;
  /** The objects that it names as those it comes after. */
  readonly after: readonly string[];
  /** The objects that its templates mention. */
  readonly mentions: readonly string[];
}

/** Within a wave, as kubectl's libraries have it (cli-utils pkg/ordering); whatever is not named stands at the dash. */
const kindOrder =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition MutatingWebhookConfiguration ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Service LimitRange PriorityClass Deployment StatefulSet CronJob PodDisruptionBudget - ValidatingWebhookConfiguration'.split(
    ' ',
  );

/**
 * The names of the objects in the order in which they are made: a wave is awaited before the next is begun, and
 * within one they are sent in the order of their kinds. Removal goes the other way.
 * @throws when `orderProblem` has something to say
 */
export function wavesOf(objects: readonly Ordered[]): readonly (readonly string[])[] {
  const problem = orderProblem(objects);
  if (problem !== undefined) throw new Error(problem);
  const waves: (readonly string[])[] = [];
  let left = objects.toSorted(byKind);
  while (left.length > 0) {
    const names = new Set(left.map(({ name }) => name));
    const wave = left.filter((object) => beforeIt(object).every((name) => !names.has(name)));
    waves.push(wave.map(({ name }) => name));
    left = left.filter((object) => !wave.includes(object));
  }
  return waves;
}

/** What keeps these objects from having an order, as a clause; undefined when they have one. */
export function orderProblem(objects: readonly Ordered[]): string | undefined {
  const names = new Set(objects.map(({ name }) => name));
  for (const object of objects) {
    const unknown = beforeIt(object).find((name) => !names.has(name));
    if (unknown !== undefined) return `${object.name} comes after ${unknown}, which is none of the objects`;
  }
  const circle = circleIn(objects);
  return circle && `objects come after each other in a circle: ${circle.join(' after ')}`;
}

function beforeIt({ after, mentions }: Ordered): readonly string[] {
  return [...after, ...mentions];
}

function byKind(a: Ordered, b: Ordered): number {
  return placeOf(a.kind) - placeOf(b.kind) || (a.name < b.name ? -1 : 1);
}

function placeOf(kind: string): number {
  const place = kindOrder.indexOf(kind);
  return place === -1 ? kindOrder.indexOf('-') : place;
}

function circleIn(objects: readonly Ordered[]): readonly string[] | undefined {
  const byName = new Map(objects.map((object) => [object.name, object]));
  const done = new Set<string>();
  function visit(name: string, way: readonly string[]): readonly string[] | undefined {
    if (way.includes(name)) return [...way.slice(way.indexOf(name)), name];
    const object = byName.get(name);
    if (!object || done.has(name)) return undefined;
    for (const before of beforeIt(object)) {
      const circle = visit(before, [...way, name]);
      if (circle) return circle;
    }
    done.add(name);
    return undefined;
  }
  for (const { name } of objects) {
    const circle = visit(name, []);
    if (circle) return circle;
  }
  return undefined;
}
