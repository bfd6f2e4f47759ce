import { defineCase, type CaseGroup } from '../case.ts';

const fails = 'No broker can be made to fail from outside.';

/** What no case looks at, and why. */
export const unseenCases: CaseGroup = {
  name: 'unseen',
  cases: [
    defineCase(
      'HDR-12',
      'MAY',
      'Request Identity',
      'The request identity is logged.',
      'It would be seen in the log of the broker.',
      15,
    ),
    defineCase(
      'LIF-00',
      'MUST',
      'all',
      'Every plan can be provisioned and deprovisioned.',
      'One plan is looked at, as others may cost money; run the command for each.',
    ),
    defineCase(
      'PRV-25',
      'MUST',
      'Provisioning',
      'What is told as made is made.',
      'Only the service itself can tell.',
    ),
    defineCase(
      'PRV-26',
      'MUST',
      'Synchronous and Asynchronous Operations',
      'Nothing is told as made before it is.',
      'Only the service itself can tell.',
    ),
    defineCase(
      'BND-30',
      'MUST',
      'Binding',
      'What a binding gives is told at least once.',
      'What it gives is known to the service alone; BND-18, BND-20, BND-21, CAT-45 and FEB-08 look at what must be told.',
    ),
    defineCase(
      'UPD-23',
      'MUST',
      'Polling Last Operation: Body',
      'An update that failed is told as failed, and the instance can be deleted.',
      fails,
    ),
    defineCase('UPD-24', 'SHOULD', 'Updating', 'After a failed update everything is as it was.', fails),
    defineCase(
      'DEP-13',
      'MUST',
      'Polling Last Operation; Orphan Mitigation',
      'A deletion that failed is told as failed, and a new one is accepted.',
      fails,
    ),
    defineCase(
      'ORP-01',
      'MUST',
      'Orphan Mitigation',
      'An instance that failed to be made is not there and can be deleted.',
      fails,
    ),
    defineCase(
      'ORP-02',
      'MUST',
      'Orphan Mitigation',
      'A binding that failed to be made is not there and can be deleted.',
      fails,
    ),
    defineCase(
      'ORP-04',
      'MAY',
      'Orphan Mitigation',
      'The broker removes what failed by itself.',
      'Nobody outside sees what it has removed.',
    ),
    defineCase(
      'ERR-08',
      'SHOULD',
      'Error Codes',
      'A 5xx leaves everything as it was.',
      'Nobody can make it happen from outside.',
    ),
    defineCase(
      'GLB-02',
      'HARD',
      'all',
      'Every request is answered.',
      'A request without an answer fails the case that has sent it.',
    ),
  ],
};
