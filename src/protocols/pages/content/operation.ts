import type { OperationAnswer } from '../../operator/wire/operations.ts';
import type { Call } from '../../protocol.ts';
import type { Ask } from '../ask.ts';
import { instancePath } from '../paths.ts';
import { type ActionName, actionLinks } from './actions.ts';
import { askedBy, offeringNames, whyOf } from './lists.ts';
import type { PageContent, Section } from './parts.ts';
import { badge, between, cell, code, count, moment, soft, text } from './words.ts';

export async function operationPage(
  ask: Ask,
  { query, readsOnly = false }: Pick<Call, 'query' | 'readsOnly'>,
): Promise<PageContent> {
  const asked = { params: { operationId: query.get('id') ?? '' } };
  const [one, names] = await Promise.all([ask('operations show', asked), offeringNames(ask)]);
  const { binding_id: binding, finished_at: end } = one;
  return {
    title: `${one.action ?? one.kind} of ${one.instance_id}`,
    kind: 'Operation',
    below: cell(badge(one.state), soft(whyOf(one))),
    live: one.state === 'in progress',
    sections: [
      {
        parts: [
          actionLinks(!readsOnly, repairsOf(one), { operation: one.id }),
          {
            is: 'facts',
            facts: [
              ['Id', cell(code(one.id))],
              ['Instance', cell(code(one.instance_id, instancePath(one.instance_id)))],
              ['Binding', cell(code(binding))],
              ['Offering', cell(text(names(one.offering_id)))],
              ['Asked by', askedBy(one)],
              ['Request', cell(code(one.asked_by.request))],
              ['Begun', cell(moment(one.created_at))],
              ['Ended', cell(moment(end), soft(between(one.created_at, end)))],
              ['To end by', cell(end === undefined ? moment(one.deadline) : undefined)],
              ['Node', cell(text(one.node))],
              ['Carried out by', cell(code(one.holder))],
              ['Taken up', cell(text(count(one.attempt, 'time')))],
              ['Failures in a row', cell(one.failures ? text(one.failures) : undefined)],
            ],
          },
          ...failureParts(one),
        ],
      },
    ],
  };
}

function repairsOf({ state, cancelled }: OperationAnswer): readonly ActionName[] {
  if (state === 'failed') return ['retry'];
  return state === 'in progress' && !cancelled ? ['cancel'] : [];
}

/** Why it has failed, and what is behind it. */
export function failureParts(operation: OperationAnswer): Section['parts'] {
  const why = whyOf(operation);
  const { failure, state, left } = operation;
  const detail = failure?.detail;
  return [
    why === undefined ? undefined : { is: 'text', text: why, tone: state === 'failed' ? 'bad' : 'warn' },
    detail === undefined || detail === why ? undefined : { is: 'text', text: detail },
    left === undefined || left === why
      ? undefined
      : { is: 'text', text: `Still there: ${left}`, tone: 'warn' },
  ];
}
