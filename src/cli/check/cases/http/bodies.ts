import { defineCase, type CaseGroup } from '../../case.ts';
import { requireNoBreak, requireStatus } from '../../probe/findings.ts';
import { keptInstance } from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import {
  bindingPath,
  bindRequest,
  instancePath,
  provisionRequest,
  updateRequest,
} from '../../probe/requests.ts';
import type { WireRequest } from '../../probe/wire.ts';

/** What a broker makes of any body. */
export const bodyCases: CaseGroup = {
  name: 'errors',
  cases: [
    defineCase(
      'BDY-01',
      'MUST',
      'Response: malformed',
      'Malformed JSON is 400.',
      eachBody('{"service_id":', [400], 'malformed JSON'),
    ),
    defineCase(
      'BDY-02',
      'MUST',
      'Response: malformed',
      'An empty body is 400.',
      eachBody('', [400], 'an empty body'),
    ),
    defineCase(
      'BDY-03',
      'MUST',
      'Response: malformed',
      'A body that is no object is 400.',
      eachBody('[]', [400], 'a list as its body'),
    ),
    defineCase(
      'BDY-06',
      'MUST',
      'Content Type',
      'The content type may have parameters and capitals.',
      async (probe) => {
        await keptInstance(probe);
        const request = provisionRequest(probe, instancePath(probe.newId()));
        const answer = await probe.send({
          ...request,
          headers: { 'content-type': 'Application/JSON; charset=UTF-8' },
        });
        requireStatus(
          answer,
          [200, 201, 202],
          'A provision with the content type Application/JSON; charset=UTF-8',
        );
      },
    ),
    defineCase('BDY-07', 'HARD', 'robustness', 'Odd JSON breaks nothing.', async (probe) => {
      for (const text of [
        '{"service_id":"a","service_id":"b"}',
        '\uFEFF{}',
        '{"plan_id":1e400}',
        '{"plan_id":"\\ud800"}',
      ])
        requireNoBreak(
          await probe.send({ ...provisionRequest(probe, instancePath(probe.newId())), text }),
          'A provision with odd JSON',
        );
    }),
  ],
};

function eachBody(text: string, allowed: readonly number[], what: string) {
  return async (probe: Probe): Promise<void> => {
    const { path } = await keptInstance(probe);
    const requests: WireRequest[] = [
      provisionRequest(probe, instancePath(probe.newId())),
      updateRequest(probe, path),
    ];
    if (probe.market.bindable) requests.push(bindRequest(probe, bindingPath(path, probe.newId())));
    for (const request of requests)
      requireStatus(await probe.send({ ...request, text }), allowed, `${request.method} with ${what}`);
  };
}
