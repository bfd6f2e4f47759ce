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
