import { anyObject, body, dictionary, maybe, named, object, text, type ValueOf } from './shape.ts';

const declaredAction = named(
  'DeclaredAction',
  object({
    description: maybe(text('What it comes to; absent: the offering does not declare it any more.')),
    parameters: maybe(anyObject('The JSON Schema of its parameters; absent: it has none.')),
  }),
);

export const declaredActions = dictionary(declaredAction, 'What its offering declares, by name.');
export type DeclaredActions = ValueOf<typeof declaredActions>;

export const askedBody = body({
  parameters: maybe(anyObject('As the schema of the action has them; absent: none.')),
});

const word = text(undefined, { minLength: 1, maxLength: 1000, format: 'text' });

export const adoptBody = body({
  thing: text('As orphans are named: `database shop`.', { minLength: 1, maxLength: 1000, format: 'text' }),
  node: maybe(
    text('Where it is; absent: where orphans say, or on no node.', {
      minLength: 1,
      maxLength: 1000,
      format: 'text',
    }),
  ),
  offering: word,
  plan: word,
  parameters: maybe(anyObject('As at a provision; absent: none.')),
  organization_guid: maybe(word),
  space_guid: maybe(word),
});
export type AdoptBody = ValueOf<typeof adoptBody>;
