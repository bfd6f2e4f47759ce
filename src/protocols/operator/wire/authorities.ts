import { body, list, maybe, named, object, time, truth, whole, type ValueOf } from './shape.ts';

const longestWait = 365 * 86_400_000;

export const authorityBody = body({
  signs_after: whole('Milliseconds from now on.', { minimum: 0, maximum: longestWait }),
});
export type AuthorityBody = ValueOf<typeof authorityBody>;

export const authorityAnswer = named(
  'Authority',
  object({
    generation: whole(),
    signs: truth(),
    trusted: truth('Is it in the `ca` of new bindings?'),
    signs_from: maybe(time('As an operator has said; absent: when those before it come to their end.')),
    not_before: time(),
    not_after: time(),
  }),
);
export type AuthorityAnswer = ValueOf<typeof authorityAnswer>;

export const authoritiesAnswer = named(
  'Authorities',
  object({ authorities: list(authorityAnswer, 'The oldest first.') }),
);
export type AuthoritiesAnswer = ValueOf<typeof authoritiesAnswer>;
