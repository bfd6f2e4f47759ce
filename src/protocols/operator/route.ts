import type { Route } from '../protocol.ts';
import type { Shape } from './wire/shape.ts';

/** A row of the table of routes. */
export interface OperatorRoute {
  readonly method: Route['method'];
  /** As in Express. */
  readonly path: string;
  /** A sentence for who reads the document. */
  readonly summary: string;
  /** What may stand in the query; anything else is refused. */
  readonly query?: Readonly<Record<string, Shape<unknown>>>;
  readonly body?: Shape<object>;
  /** By status. */
  readonly answers: Readonly<Record<number, Shape<object>>>;
}
