// The authorities by which certificates of instances are signed, and the change to another one before its time.
import { Refusal } from '../../broker/errors.ts';
import type { AuthorityOffice, AuthorityState, RenewAuthority } from '../../broker/nodes.ts';
import type { Call, Handler } from '../protocol.ts';
import { originOf } from './requests.ts';
import { requireAuthorityBody } from './shapes.ts';
import type { AuthoritiesAnswer, AuthorityAnswer } from './wire/authorities.ts';

export function authorityEndpoints(
  office: AuthorityOffice,
): Readonly<Record<'authorities' | 'authorities renew', Handler>> {
  return {
    async authorities() {
      const authorities = (await office.list()).map(authorityReply);
      return { status: 200, body: { authorities } satisfies AuthoritiesAnswer };
    },
    'authorities renew': async (call) => ({
      status: 200,
      body: authorityReply(await office.renew(readRenewal(call))),
    }),
  };
}

function readRenewal(call: Call): RenewAuthority {
  const { generation = '' } = call.params;
  if (!/^[1-9]\d{0,5}$/.test(generation))
    throw new Refusal('invalid', 'The number of an authority is a whole number from 1 on.', 'generation');
  const { signs_after: signsAfter } = requireAuthorityBody(call.body);
  return { generation: Number(generation), signsAfter, origin: originOf(call) };
}

function authorityReply({ signsFrom, notBefore, notAfter, ...state }: AuthorityState): AuthorityAnswer {
  return {
    generation: state.generation,
    signs: state.signs,
    trusted: state.trusted,
    signs_from: signsFrom?.toISOString(),
    not_before: notBefore.toISOString(),
    not_after: notAfter.toISOString(),
  };
}
