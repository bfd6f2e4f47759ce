import { defineCase, type CaseGroup } from '../../case.ts';
import {
  onlyWhen,
  requireConcurrencyWord,
  requireNoBreak,
  requireStatus,
  requireThat,
} from '../../probe/findings.ts';
import {
  begunDelete,
  begunUpdate,
  requireBusy,
  requireHalted,
  requireSameOperation,
  sameUpdate,
} from '../../probe/in-progress.ts';
import { awaitEnd, begunBinding, begunInstance } from '../../probe/lifecycle.ts';
import {
  bindingPath,
  bindRequest,
  deleteRequest,
  provisionRequest,
  updateRequest,
} from '../../probe/requests.ts';

const provisioning = 'Provisioning: Response';
const blocking = 'Blocking Operations';

/** What is asked while something is in progress. */
export const busyCases: CaseGroup = {
  name: 'async polling',
  cases: [
    defineCase(
      'PRV-09',
      'MUST',
      provisioning,
      'The same request while it is in progress is 202 with the same operation.',
      async (probe) => {
        const { path, answer } = await begunInstance(probe);
        const again = await probe.send(provisionRequest(probe, path));
        await requireSameOperation(
          probe,
          { path, answer },
          again,
          'The same provision while it is in progress',
        );
      },
    ),
    defineCase(
      'PRV-10',
      'MUST',
      provisioning,
      'A different request meanwhile is 409 and disturbs nothing.',
      async (probe) => {
        const thing = await begunInstance(probe);
        const other = await probe.send(
          provisionRequest(probe, thing.path, { organization_guid: 'elsewhere', context: undefined }),
        );
        if (other.status !== 409) await requireBusy(probe, thing);
        requireStatus(other, [409], 'Another provision of an id that is in progress');
        const { is } = await awaitEnd(probe, thing.path, thing.answer);
        requireThat(
          is === 'succeeded',
          'Another provision of an id that is in progress has disturbed it.',
          other,
        );
      },
    ),
    defineCase(
      'BND-24',
      'MUST',
      blocking,
      'A bind of an instance in the making is refused in words that are defined.',
      async (probe) => {
        onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
        const { path } = await begunInstance(probe);
        const answer = await probe.send(bindRequest(probe, bindingPath(path, probe.newId())));
        requireNoBreak(answer, 'A bind of an instance in the making');
        requireConcurrencyWord(answer, 'A bind of an instance in the making');
      },
    ),
    defineCase(
      'UPD-14',
      'MUST',
      blocking,
      'An update of an instance in the making disturbs nothing.',
      async (probe) => {
        const thing = await begunInstance(probe);
        const answer = await probe.send(
          updateRequest(probe, thing.path, { parameters: probe.parameters ?? {} }),
        );
        requireNoBreak(answer, 'An update of an instance in the making');
        requireConcurrencyWord(answer, 'An update of an instance in the making');
        const { is } = await awaitEnd(probe, thing.path, thing.answer);
        requireThat(is === 'succeeded', 'An update of an instance in the making has disturbed it.', answer);
      },
    ),
    defineCase(
      'UPD-12',
      'MUST',
      'Updating: Response',
      'The same update while it is in progress is 202 with the same operation.',
      async (probe) => {
        const { path, answer } = await begunUpdate(probe);
        const again = await probe.send(sameUpdate(probe, path));
        await requireSameOperation(probe, { path, answer }, again, 'The same update while it is in progress');
      },
    ),
    defineCase(
      'BND-25',
      'MUST',
      blocking,
      'A bind of an instance that is being updated works or is a ConcurrencyError.',
      async (probe) => {
        onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
        const { path } = await begunUpdate(probe);
        const answer = await probe.send(bindRequest(probe, bindingPath(path, probe.newId())));
        if (answer.status >= 300) requireStatus(answer, [422], 'A bind of an instance that is being updated');
        requireConcurrencyWord(answer, 'A bind of an instance that is being updated');
      },
    ),
    defineCase(
      'BND-07',
      'MUST',
      'Binding: Response',
      'The same bind while it is in progress is 202 with the same operation.',
      async (probe) => {
        const { path, answer } = await begunBinding(probe);
        const again = await probe.send(bindRequest(probe, path));
        await requireSameOperation(probe, { path, answer }, again, 'The same bind while it is in progress');
      },
    ),
    defineCase(
      'BND-29',
      'MUST',
      'Binding: Response',
      'A 202 holds nothing of the binding.',
      async (probe) => {
        const { answer } = await begunBinding(probe);
        const strange = Object.keys(answer.body).filter((name) =>
          ['credentials', 'syslog_drain_url', 'route_service_url', 'volume_mounts', 'endpoints'].includes(
            name,
          ),
        );
        requireThat(strange.length === 0, `The 202 of a bind holds ${strange.join(', ')}.`, answer);
      },
    ),
    defineCase(
      'DEP-08',
      'MUST',
      'Deprovisioning',
      'An instance in the making is halted, or it is a ConcurrencyError.',
      async (probe) => {
        const { path } = await begunInstance(probe);
        requireHalted(
          await probe.send(deleteRequest(probe, path)),
          'A deletion of an instance in the making',
        );
      },
    ),
    defineCase(
      'UNB-08',
      'MUST',
      'Unbinding',
      'A binding in the making is halted, or it is a ConcurrencyError.',
      async (probe) => {
        const { path } = await begunBinding(probe);
        requireHalted(await probe.send(deleteRequest(probe, path)), 'An unbind of a binding in the making');
      },
    ),
    defineCase(
      'DEP-07',
      'MUST',
      'Deprovisioning: Response',
      'The same deletion while it is in progress is 202 with the same operation.',
      async (probe) => {
        const { path, answer } = await begunDelete(probe);
        const again = await probe.send(deleteRequest(probe, path));
        await requireSameOperation(
          probe,
          { path, answer },
          again,
          'The same deletion while it is in progress',
        );
      },
    ),
    defineCase(
      'DEP-11',
      'MUST',
      blocking,
      'Changes during a deletion are refused in words that are defined.',
      async (probe) => {
        const { path } = await begunDelete(probe);
        for (const request of [
          updateRequest(probe, path, { parameters: {} }),
          bindRequest(probe, bindingPath(path, probe.newId())),
        ]) {
          const answer = await probe.send(request);
          requireNoBreak(answer, `${request.method} of an instance that is being deleted`);
          requireConcurrencyWord(answer, `${request.method} of an instance that is being deleted`);
        }
      },
    ),
  ],
};
