import { anOffering, linesOf } from './folder.ts';

/** A mistake, an offering that makes it, and what is said of it. */
export type Row = readonly [rule: string, changes: object, lines: readonly string[]];

/** Exactly these lines are said of an offering with these changes. */
export async function holds(_rule: string, changes: object, lines: readonly string[]): Promise<void> {
  expect(await linesOf(anOffering(changes))).toEqual(lines);
}

const draft04 = 'http://json-schema.org/draft-04/schema#';

/** Where the errors of a schema of `created` are found. */
export const at = 'schemas.service_instance.create.parameters';

/** A schema for the parameters of a create, in draft-04 unless it says otherwise. */
export function created(schema: object): object {
  return {
    schemas: {
      service_instance: { create: { parameters: { $schema: draft04, type: 'object', ...schema } } },
    },
  };
}
