import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { OrderedPlace, ProvisionerTraits } from '../../../broker/provisioner.ts';
import { expressionsIn, findValue, positionIn } from '../../../broker/template.ts';
import { didYouMean } from '../../form/did-you-mean.ts';
import type { OfferingFile } from '../../form/offering-file.ts';
import { type Finding, mistake } from '../../problem.ts';

/** What is made one after another must have an order: names that lead nowhere, names that are taken, and circles. */
export function orderFindings(
  { provisioner, config = {} }: OfferingFile,
  traits: Readonly<Record<string, ProvisionerTraits>>,
): readonly Finding[] {
  const ordered = Object.hasOwn(traits, provisioner) ? (traits[provisioner]?.ordered ?? []) : [];
  const earlier = new Set<string>();
  return ordered.flatMap((place) => {
    const things = thingsAt(config, place);
    const taken = [...things.keys()].filter((name) => earlier.has(name));
    const findings = [
      ...taken.map((name) => mistake(placeOf(place, name), 'The instance has an object of this name.')),
      ...[...things].flatMap(([name, thing]) => strangers(place, name, thing, things)),
      ...circles(place, things),
    ];
    for (const name of things.keys()) earlier.add(name);
    return findings;
  });
}

interface Thing {
  readonly after: readonly string[];
  /** Of the same place. */
  readonly mentioned: readonly string[];
}

function thingsAt(config: JsonObject, { at, root }: OrderedPlace): ReadonlyMap<string, Thing> {
  const found = findValue(at.split('.'), config);
  const things = isObject(found) ? Object.entries(found) : [];
  const names = things.map(([name]) => name);
  return new Map(
    things.map(([name, thing]) => {
      const mentioned = expressionsIn(thing).flatMap(({ path }) => (path[0] === root ? [path[1] ?? ''] : []));
      return [name, { after: afterOf(thing), mentioned: mentioned.filter((one) => names.includes(one)) }];
    }),
  );
}

function afterOf(thing: Json): readonly string[] {
  const after = isObject(thing) ? thing['after'] : undefined;
  return Array.isArray(after) ? after.filter((name) => typeof name === 'string') : [];
}

function strangers(
  place: OrderedPlace,
  name: string,
  { after }: Thing,
  things: ReadonlyMap<string, Thing>,
): readonly Finding[] {
  const names = [...things.keys()];
  return after.flatMap((other, index) => {
    if (names.includes(other)) return [];
    const at = positionIn(`${placeOf(place, name)}.after`, index);
    return [mistake(at, `config.${place.at} has no '${other}'.${didYouMean(other, names)}`)];
  });
}

function circles(place: OrderedPlace, things: ReadonlyMap<string, Thing>): readonly Finding[] {
  const done = new Set<string>();
  for (const name of things.keys()) {
    const circle = circleFrom(name, [], things, done);
    if (circle)
      return [
        mistake(placeOf(place, circle[0] ?? name), `It comes after itself: ${circle.join(' after ')}.`),
      ];
  }
  return [];
}

function circleFrom(
  name: string,
  way: readonly string[],
  things: ReadonlyMap<string, Thing>,
  done: Set<string>,
): readonly string[] | undefined {
  if (way.includes(name)) return [...way.slice(way.indexOf(name)), name];
  const thing = things.get(name);
  if (!thing || done.has(name)) return undefined;
  for (const before of [...thing.after, ...thing.mentioned]) {
    const circle = circleFrom(before, [...way, name], things, done);
    if (circle) return circle;
  }
  done.add(name);
  return undefined;
}

function placeOf({ at }: OrderedPlace, name: string): string {
  return positionIn(`config.${at}`, name);
}
