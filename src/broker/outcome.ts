import type { Operation } from './records.ts';

/**
 * How a mutation ended. Outcomes are not errors: a missing instance is `absent` when it is deleted, and each
 * protocol says what that means on its wire.
 */
export type Outcome<Rec> =
  | { readonly is: 'done'; readonly record: Rec }
  | { readonly is: 'unchanged'; readonly record: Rec }
  | { readonly is: 'accepted'; readonly operation: Operation; readonly record?: Rec }
  | { readonly is: 'absent' };
