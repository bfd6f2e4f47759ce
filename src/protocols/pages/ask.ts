import type { OperatorHandlers } from '../operator/index.ts';
import type { operatorRoutes, OperatorVerb } from '../operator/routes.ts';
import type { ValueOf } from '../operator/wire/shape.ts';
import type { Call, Reply } from '../protocol.ts';

/** What the operator API answers with 200. */
export type AnswerTo<Verb extends OperatorVerb> = (typeof operatorRoutes)[Verb]['answers'] extends {
  readonly 200: infer Answer;
}
  ? ValueOf<Answer>
  : never;

export interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>> | URLSearchParams;
  readonly body?: object;
}

/** Asks what the operator API asks, for the operator whose call it is. */
export interface Ask {
  <Verb extends OperatorVerb>(verb: Verb, asked?: Asked): Promise<AnswerTo<Verb>>;
}

export function askFor(on: OperatorHandlers, call: Call): Ask {
  return async <Verb extends OperatorVerb>(verb: Verb, asked?: Asked) =>
    (await replyTo(on, call, verb, asked)).body as AnswerTo<Verb>;
}

/** The same with its status: 202 of what goes on. */
export async function replyTo(
  on: OperatorHandlers,
  call: Call,
  verb: OperatorVerb,
  { params = {}, query = {}, body }: Asked = {},
): Promise<Reply> {
  const said = query instanceof URLSearchParams ? [...query] : Object.entries(query);
  const search = said.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return on[verb]({ ...call, params, query: new URLSearchParams(search), body });
}

/** An id may be one of dots, so it is asked for in the query. */
export function ofInstance(id: string): Asked {
  return { params: { instanceId: '-' }, query: { instance_id: id } };
}
