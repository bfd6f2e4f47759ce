import { Failure } from '../../../broker/errors.ts';
import type { Json, JsonObject } from '../../../broker/json.ts';
import { render } from '../../../broker/template.ts';
import type { ObjectAddress } from '../cluster.ts';
import { type ClusterContext, filling, type MadeObjects } from '../context.ts';
import type { ReadTemplate } from '../form/config.ts';
import { readPath } from '../rules/paths.ts';
import { asking, later } from './asking.ts';
import { plainText } from './plain-text.ts';

/** What stands in objects that are ready. @throws TryLater as long as something is not there yet */
export async function readAll(
  context: ClusterContext,
  reads: Readonly<Record<string, ReadTemplate>>,
  made: MadeObjects,
): Promise<JsonObject> {
  const found = await Promise.all(
    Object.entries(reads).map(async ([name, one]) => [name, await readOne(context, one, made)] as const),
  );
  return Object.fromEntries(found);
}

async function readOne(context: ClusterContext, one: ReadTemplate, made: MadeObjects): Promise<Json> {
  const { cluster, work } = context;
  const address = addressOfRead(context, one, made);
  const object = await asking('read', () => cluster.get(address, work.signal));
  const value = object && readPath(object, one.path);
  if (value === undefined || value === null) {
    if (one.optional) return '';
    throw later(`There is no ${one.path} in ${address.kind} ${address.name} yet.`, 1000);
  }
  return one.decode === 'base64' ? decoded(value, one, address) : value;
}

function decoded(value: Json, { path }: ReadTemplate, { kind, name }: ObjectAddress): string {
  const bytes = Buffer.from(plainText(value), 'base64');
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  throw new Failure('unreadable', 'What the service tells of itself cannot be read.', {
    detail: `${path} of ${kind} ${name} is no text.`,
  });
}

function addressOfRead(
  { place, roots }: ClusterContext,
  { of }: ReadTemplate,
  made: MadeObjects,
): ObjectAddress {
  const { namespace } = place;
  if (typeof of !== 'string') {
    const all = { ...roots, objects: made as unknown as Json };
    return { ...of, namespace, name: plainText(filling(() => render(of.name, all))) };
  }
  const known = made[of];
  if (known) return known;
  throw new Error(`There is no object '${of}'.`);
}
