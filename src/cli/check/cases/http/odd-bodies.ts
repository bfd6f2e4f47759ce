import { gzipSync } from 'node:zlib';
import { defineCase, type CaseGroup } from '../../case.ts';
import { sendOddity } from '../../probe/cut-off.ts';
import { onlyWhen, requireAccepted, requireNoBreak, requireStatus } from '../../probe/findings.ts';
import { keptInstance } from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import { deleteRequest, instancePath, provisionBody, provisionRequest } from '../../probe/requests.ts';
import type { WireAnswer, WireRequest } from '../../probe/wire.ts';

const type = 'Content Type';

/** Bodies that no platform sends, and how a body comes. */
export const oddBodyCases: CaseGroup = {
  name: 'errors',
  cases: [
    defineCase('BDY-05', 'MUST', type, 'Another content type breaks nothing.', async (probe) => {
      for (const one of otherTypes)
        requireNoBreak(await provisionAs(probe, one), `A provision of the content type ${one}`);
    }),
    defineCase(
      'BDY-04',
      'SHOULD',
      type,
      'Another content type is processed or refused with 400.',
      async (probe) => {
        for (const one of otherTypes) {
          const answer = await provisionAs(probe, one);
          onlyWhen(answer.status < 500, 'The broker breaks.');
          requireStatus(answer, [200, 201, 202, 400], `A provision of the content type ${one}`);
        }
      },
    ),
    defineCase(
      'BDY-08',
      'MUST',
      'Response: malformed',
      'Members that come by a prototype do not count.',
      async (probe) => {
        const whole = JSON.stringify(provisionBody(probe, { context: undefined }));
        for (const text of [`{"__proto__":${whole}}`, `{"constructor":{"prototype":${whole}}}`])
          requireStatus(await sendText(probe, text), [400], 'A provision with members in a prototype only');
      },
    ),
    defineCase('BDY-09', 'HARD', 'security', 'No request changes what others mean.', async (probe) => {
      const lacking = { space_guid: undefined, context: undefined };
      const before = await probe.send(provisionRequest(probe, instancePath(probe.newId()), lacking));
      onlyWhen(before.status === 400, 'The broker does not ask for space_guid.');
      const member = '{"space_guid":"polluted"}';
      for (const odd of [`{"__proto__":${member},`, `{"constructor":{"prototype":${member}},`])
        await sendText(probe, JSON.stringify(provisionBody(probe)).replace('{', odd));
      requireStatus(
        await probe.send(provisionRequest(probe, instancePath(probe.newId()), lacking)),
        [400],
        'A provision without space_guid, after another one had it as a prototype,',
      );
    }),
    defineCase('BDY-10', 'HARD', 'robustness', 'Huge bodies break nothing.', async (probe) => {
      const request = provisionRequest(probe, instancePath(probe.newId()), { parameters: { x: '#' } });
      const text = JSON.stringify(request.body).replace('#', 'x'.repeat(12 * 1024 * 1024));
      const answer = await sendOddity(probe, { ...request, body: undefined, text });
      if (answer) requireNoBreak(answer, 'A provision of 12 MB');
    }),
    defineCase('BDY-11', 'HARD', 'robustness', 'Deep bodies break nothing.', async (probe) => {
      const request = provisionRequest(probe, instancePath(probe.newId()), { parameters: { x: '#' } });
      const levels = 100_000;
      const deep = '[['.repeat(levels / 2) + ']]'.repeat(levels / 2);
      const text = JSON.stringify(request.body).replace('"#"', deep);
      const answer = await sendOddity(probe, { ...request, body: undefined, text });
      if (answer) requireNoBreak(answer, 'A provision with parameters of 100,000 levels');
    }),
    defineCase('BDY-12', 'HARD', 'RFC 9112', 'Chunked bodies are read.', async (probe) => {
      await keptInstance(probe);
      const answer = await probe.send({
        ...provisionRequest(probe, instancePath(probe.newId())),
        headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' },
      });
      requireAccepted(answer, 'A provision with a chunked body');
    }),
    defineCase('BDY-13', 'HARD', 'RFC 9110', 'Encoded bodies are read or refused.', async (probe) => {
      const text = JSON.stringify(provisionBody(probe));
      for (const [encoding, sent] of [
        ['gzip', gzipSync(text)],
        ['gzip', text],
        ['nonsense', text],
      ] as const) {
        const answer = await sendOddity(probe, {
          ...provisionRequest(probe, instancePath(probe.newId())),
          headers: { 'content-encoding': encoding },
          text: sent,
        });
        if (answer) requireNoBreak(answer, `A provision of the content encoding ${encoding}`);
      }
    }),
    defineCase('BDY-14', 'HARD', 'robustness', 'Odd queries break nothing.', async (probe) => {
      const create = provisionRequest(probe, instancePath(probe.newId()), {}, {});
      const gone = deleteRequest(probe, instancePath(probe.newId()));
      const odd: readonly WireRequest[] = [
        { ...create, rawQuery: 'accepts_incomplete[]=true&accepts_incomplete[a][b]=true' },
        { ...gone, rawQuery: 'service_id=a&plan_id[x]=b&service_id=' },
        { method: 'GET', path: `${gone.path}/last_operation`, rawQuery: 'operation=a&operation[b]=c&=&%00' },
      ];
      for (const request of odd)
        requireNoBreak(await probe.send(request), `${request.method} with an odd query`);
    }),
  ],
};

const otherTypes = ['text/plain', 'application/xml', 'application/x-www-form-urlencoded'];

function provisionAs(probe: Probe, contentType: string): Promise<WireAnswer> {
  const request = provisionRequest(probe, instancePath(probe.newId()));
  return probe.send({ ...request, headers: { 'content-type': contentType } });
}

function sendText(probe: Probe, text: string): Promise<WireAnswer> {
  return probe.send({ ...provisionRequest(probe, instancePath(probe.newId())), body: undefined, text });
}
