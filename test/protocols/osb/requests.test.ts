import {
  bindBody,
  bindingPath,
  hints,
  instancePath,
  provisionBody,
  scripted,
  updateBody,
} from './scripted-broker.ts';
import { senders } from './senders.ts';

/** What is asked for reaches the broker as a command, or is refused by name before the broker hears of it. */

const { platform, asked } = scripted();
const { put, patch, bind } = senders({ platform });

beforeEach(() => void (asked as unknown[]).splice(0));

const sending = { provision: put, update: patch, bind };
type Sender = keyof typeof sending;
const bodies = { provision: provisionBody, update: updateBody, bind: bindBody };
const origin = { protocol: 'osb', principal: 'platform', identity: undefined, requestId: expect.any(String) };
/** So that what nobody waits for any more is not begun. */
const isGone = expect.any(Function) as () => boolean;

describe('A command', () => {
  test('A command to provision carries all that was said.', async () => {
    const context = { platform: 'cloudfoundry', organization_guid: 'other' };
    const maintenance_info = { version: '1.0.0', description: 'ignored', more: [1] };
    await put(
      { ...provisionBody, parameters: { a: 1 }, context, maintenance_info },
      { accepts_incomplete: true },
    );
    expect(asked).toEqual([
      [
        'provision',
        {
          instanceId: 'i1',
          acceptsIncomplete: true,
          failsLater: true,
          isGone,
          origin,
          offeringId: 'cache',
          planId: 'small',
          organizationGuid: 'org',
          spaceGuid: 'space',
          parameters: { a: 1 },
          context,
          maintenanceVersion: '1.0.0',
        },
      ],
    ]);
  });

  test('A command to update carries only what was said.', async () => {
    await patch(updateBody);
    const command = {
      instanceId: 'i1',
      acceptsIncomplete: false,
      isGone,
      origin,
      offeringId: 'cache',
      parameters: {},
    };
    expect(asked).toEqual([['update', command]]);
  });

  test('A command to update carries all that was said.', async () => {
    const previous_values = { plan_id: 7, maintenance_info: null, whatever: [{}] };
    const maintenance_info = { version: '2.0.0' };
    const context = { instance_name: 'n' };
    await patch({
      ...updateBody,
      plan_id: 'big',
      parameters: { b: [] },
      context,
      maintenance_info,
      previous_values,
    });
    const said = { planId: 'big', parameters: { b: [] }, context, maintenanceVersion: '2.0.0' };
    expect(asked).toEqual([['update', expect.objectContaining(said)]]);
  });

  test('A command to bind carries all that was said.', async () => {
    const bind_resource = {
      app_guid: 'app',
      route: 'host.example/path',
      space_guid: 's',
      app_annotations: {},
    };
    await bind({
      ...bindBody,
      app_guid: 'app',
      bind_resource,
      parameters: { c: 1 },
      context: { platform: 'x' },
    });
    expect(asked).toEqual([
      [
        'bind',
        {
          instanceId: 'i1',
          bindingId: 'b1',
          acceptsIncomplete: false,
          isGone,
          origin,
          offeringId: 'cache',
          planId: 'small',
          parameters: { c: 1 },
          context: { platform: 'x' },
          appGuid: 'app',
          route: 'host.example/path',
        },
      ],
    ]);
  });

  test('A command to delete takes its ids from the query.', async () => {
    await platform.delete(instancePath).query({ ...hints, accepts_incomplete: 'true' });
    await platform.delete(bindingPath).query(hints);
    const command = { instanceId: 'i1', isGone, origin, offeringId: 'cache', planId: 'small' };
    expect(asked).toEqual([
      ['deprovision', { ...command, acceptsIncomplete: true, failsLater: true }],
      ['unbind', { ...command, bindingId: 'b1', acceptsIncomplete: false }],
    ]);
  });

  test('A command to poll carries the operation, where there is one; hints are ignored.', async () => {
    await platform
      .get(`${instancePath}/last_operation`)
      .query({ operation: 'o/1 ?', service_id: '\0', plan_id: '' });
    await platform.get(`${bindingPath}/last_operation`).query({ operation: '' });
    expect(asked).toEqual([
      ['lastOperation', { instanceId: 'i1', operationId: 'o/1 ?' }],
      ['lastOperation', { instanceId: 'i1', bindingId: 'b1' }],
    ]);
  });

  test('FET-06, FEB-06: fetching ignores hints.', async () => {
    await platform.get(instancePath).query({ service_id: ['a', 'b'], plan_id: '' });
    await platform.get(bindingPath).query({ service_id: '\0' });
    expect(asked).toEqual([
      ['instance', 'i1'],
      ['binding', ['i1', 'b1']],
    ]);
  });
});

describe('What is missing or mistyped is 400, named as on the wire', () => {
  const required: readonly (readonly [Sender, string])[] = [
    ['provision', 'service_id'],
    ['provision', 'plan_id'],
    ['provision', 'organization_guid'],
    ['provision', 'space_guid'],
    ['update', 'service_id'],
    ['bind', 'service_id'],
    ['bind', 'plan_id'],
  ];
  const wrong: readonly (readonly [Sender, string, unknown, string])[] = required.flatMap(
    ([sender, field]) => [
      [sender, field, undefined, `${field} is missing.`],
      [sender, field, '', `${field} must not be empty.`],
      [sender, field, null, `${field} is missing.`],
      [sender, field, 7, `${field} must be a string.`],
      [sender, field, ['x'], `${field} must be a string.`],
      [sender, field, {}, `${field} must be a string.`],
      [sender, field, 'x'.repeat(1001), `${field} must not have more than 1000 characters.`],
      [
        sender,
        field,
        'a\0b',
        `${field} holds a character that cannot be kept: NUL or half of a surrogate pair.`,
      ],
      [
        sender,
        field,
        '\ud800',
        `${field} holds a character that cannot be kept: NUL or half of a surrogate pair.`,
      ],
    ],
  );
  const objects: readonly (readonly [Sender, string])[] = [
    ...(['provision', 'update', 'bind'] as const).flatMap((sender) => [
      [sender, 'parameters'] as const,
      [sender, 'context'] as const,
    ]),
    ['provision', 'maintenance_info'],
    ['update', 'maintenance_info'],
    ['update', 'previous_values'],
    ['bind', 'bind_resource'],
  ];
  const noObjects: readonly (readonly [Sender, string, unknown, string])[] = objects.flatMap(
    ([sender, field]) =>
      ['text', 7, true, []].map(
        (value) => [sender, field, value, `${field} must be a JSON object.`] as const,
      ),
  );
  const others: readonly (readonly [Sender, string, unknown, string])[] = [
    ['update', 'plan_id', '', 'plan_id must not be empty.'],
    ['provision', 'maintenance_info', { version: 1 }, 'maintenance_info.version must be a string.'],
    ['bind', 'app_guid', 7, 'app_guid must be a string.'],
    ['bind', 'bind_resource', { app_guid: ['a'] }, 'bind_resource.app_guid must be a string.'],
    ['bind', 'bind_resource', { route: {} }, 'bind_resource.route must be a string.'],
    ['bind', 'predecessor_binding_id', '', 'predecessor_binding_id must not be empty.'],
    ['bind', 'predecessor_binding_id', {}, 'predecessor_binding_id must be a string.'],
    ['provision', 'parameters', { a: [{ b: '\0' }] }, 'parameters holds a character that cannot be kept'],
    ['provision', 'context', { '\ud800': 1 }, 'context holds a character that cannot be kept'],
  ];

  test.each([...wrong, ...noObjects, ...others])(
    'PRV-11, PRV-12, PRV-13, UPD-02, UPD-18, BND-09, BND-10, ROT-04: %s with the %s %j.',
    async (sender, field, value, sentence) => {
      const answer = await sending[sender]({ ...bodies[sender], [field]: value });
      expect([answer.status, answer.body.error]).toEqual([400, 'BadRequest']);
      expect(answer.body.description).toContain(sentence);
      expect(asked).toEqual([]);
    },
  );

  test('PRV-11: a member that stands only in the context does not count.', async () => {
    const { organization_guid, space_guid, ...rest } = provisionBody;
    const answer = await put({ ...rest, context: { organization_guid, space_guid } });
    expect(answer.body).toEqual({ error: 'BadRequest', description: 'organization_guid is missing.' });
  });

  test('BDY-08: a member that stands only in a prototype does not count.', async () => {
    const { service_id: _gone, ...rest } = provisionBody;
    const answer = await put({ ...rest, constructor: { prototype: { service_id: 'cache' } } });
    expect(answer.body.description).toBe('service_id is missing.');
    const polluted = JSON.stringify(rest).replace('{', '{"__proto__":{"service_id":"cache"},');
    expect((await put(polluted)).status).toBe(400);
  });

  test.each(['provision', 'update', 'bind'] as const)(
    'BDY-02, BDY-03: %s without an object as its body.',
    async (sender) => {
      for (const body of ['[]', '"text"', '7', 'null', 'true', `[${JSON.stringify(bodies[sender])}]`]) {
        const answer = await sending[sender](body);
        expect(answer.body).toEqual({
          error: 'BadRequest',
          description: 'The request body must be a JSON object.',
        });
      }
      const answer = await sending[sender]('');
      expect([answer.status, answer.body.description]).toEqual([
        400,
        'The request has no body; it must be a JSON object.',
      ]);
      expect(asked).toEqual([]);
    },
  );
});

describe('What need not be there', () => {
  test.each(['provision', 'update', 'bind'] as const)(
    'PRV-13.null: null counts as absent for %s.',
    async (sender) => {
      const nothing = {
        parameters: null,
        context: null,
        bind_resource: null,
        maintenance_info: null,
        previous_values: null,
      };
      const answer = await sending[sender]({ ...bodies[sender], ...nothing });
      expect(answer.status).toBeLessThan(300);
      expect(asked[0]?.[1]).toMatchObject({ parameters: {} });
    },
  );

  test.each(['provision', 'update', 'bind'] as const)(
    'PRV-16, UPD-19, BND-17: members that nobody knows are ignored by %s.',
    async (sender) => {
      const more = {
        'x-vendor': { a: [null] },
        maintenance_info: { 'x-more': 1 },
        bind_resource: { 'x-more': 1 },
      };
      expect((await sending[sender]({ ...bodies[sender], ...more })).status).toBeLessThan(300);
    },
  );
});

describe('The application of a binding', () => {
  test.each([
    ['at the top', { app_guid: 'a' }, 'a'],
    ['in bind_resource', { bind_resource: { app_guid: 'a' } }, 'a'],
    ['in both places', { app_guid: 'a', bind_resource: { app_guid: 'a' } }, 'a'],
    ['nowhere', { bind_resource: {} }, undefined],
    ['empty, as Korifi says it', { app_guid: '', bind_resource: { app_guid: '', route: '' } }, undefined],
    ['empty in one place', { app_guid: '', bind_resource: { app_guid: 'a' } }, 'a'],
  ])('BND-15: named %s.', async (_where, said, appGuid) => {
    expect((await bind({ ...bindBody, ...said })).status).toBe(201);
    expect(asked[0]?.[1]).toMatchObject({ appGuid, route: undefined });
  });

  test('The application of a binding named differently in both places is 400.', async () => {
    const answer = await bind({ ...bindBody, app_guid: 'a', bind_resource: { app_guid: 'b' } });
    expect([answer.status, answer.body.description]).toEqual([
      400,
      'app_guid and bind_resource.app_guid name different apps.',
    ]);
  });
});

describe('A rotation', () => {
  test('ROT-02: needs nothing but its predecessor.', async () => {
    expect((await bind({ predecessor_binding_id: 'b0' })).status).toBe(201);
    expect(asked[0]?.[1]).toMatchObject({ predecessorId: 'b0', offeringId: undefined, planId: undefined });
  });

  test('ROT-01: may say more, which must then be right.', async () => {
    expect((await bind({ ...bindBody, predecessor_binding_id: 'b0' })).status).toBe(201);
    expect((await bind({ service_id: '', predecessor_binding_id: 'b0' })).status).toBe(400);
  });
});
