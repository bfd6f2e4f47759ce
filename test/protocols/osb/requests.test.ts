import {
  bindBody,
  bindingPath,
  hints,
  instancePath,
  provisionBody,
  scripted,
  updateBody,
} from './scripted-broker.ts';

/** What is asked for reaches the broker as a command, or is refused by name before the broker hears of it. */

const { platform, asked } = scripted();
beforeEach(() => void (asked as unknown[]).splice(0));

const put = (body?: string | object, query: string | object = {}) =>
  platform.put(instancePath).query(query).type('json').send(body);
const patch = (body?: string | object, query: string | object = {}) =>
  platform.patch(instancePath).query(query).type('json').send(body);
const bind = (body?: string | object, query: string | object = {}) =>
  platform.put(bindingPath).query(query).type('json').send(body);

const senders = { provision: put, update: patch, bind };
type Sender = keyof typeof senders;
const bodies = { provision: provisionBody, update: updateBody, bind: bindBody };

const origin = { protocol: 'osb', principal: 'platform', identity: undefined, requestId: expect.any(String) };

describe('A command', () => {
  test('to provision carries all that was said.', async () => {
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

  test('to update carries only what was said.', async () => {
    await patch(updateBody);
    const command = {
      instanceId: 'i1',
      acceptsIncomplete: false,
      origin,
      offeringId: 'cache',
      parameters: {},
    };
    expect(asked).toEqual([['update', command]]);
  });

  test('to update carries all that was said.', async () => {
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

  test('to bind carries all that was said.', async () => {
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

  test('to delete takes its ids from the query.', async () => {
    await platform.delete(instancePath).query({ ...hints, accepts_incomplete: 'true' });
    await platform.delete(bindingPath).query(hints);
    const command = { instanceId: 'i1', origin, offeringId: 'cache', planId: 'small' };
    expect(asked).toEqual([
      ['deprovision', { ...command, acceptsIncomplete: true, failsLater: true }],
      ['unbind', { ...command, bindingId: 'b1', acceptsIncomplete: false }],
    ]);
  });

  test('to poll carries the operation, where there is one; hints are ignored.', async () => {
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
      const answer = await senders[sender]({ ...bodies[sender], [field]: value });
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
        const answer = await senders[sender](body);
        expect(answer.body).toEqual({
          error: 'BadRequest',
          description: 'The request body must be a JSON object.',
        });
      }
      const answer = await senders[sender]('');
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
      const answer = await senders[sender]({ ...bodies[sender], ...nothing });
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
      expect((await senders[sender]({ ...bodies[sender], ...more })).status).toBeLessThan(300);
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

  test('named differently in both places is 400.', async () => {
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

describe('accepts_incomplete', () => {
  test.each([
    ['', false],
    ['accepts_incomplete=true', true],
    ['accepts_incomplete=false', false],
    ['accepts_incomplete=', false],
    ['accepts_incomplete', false],
    ['accepts_incomplete=true&accepts_incomplete=true', true],
    ['accepts_incomplete[]=true', false],
  ])('in the query %j is read.', async (query, acceptsIncomplete) => {
    await put(provisionBody, query);
    expect(asked[0]?.[1]).toMatchObject({ acceptsIncomplete });
  });

  test.each([
    'accepts_incomplete=TRUE',
    'accepts_incomplete=1',
    'accepts_incomplete=yes',
    'accepts_incomplete=true%20',
    'accepts_incomplete=true&accepts_incomplete=false',
    'accepts_incomplete=&accepts_incomplete=true',
    'accepts_incomplete=%ff',
  ])('PRV-03: in the query %j is 400, for every operation.', async (query) => {
    const answers = [
      await put(provisionBody, query),
      await patch(updateBody, query),
      await bind(bindBody, query),
      await platform.delete(`${instancePath}?${query}`).query(hints),
      await platform.delete(`${bindingPath}?${query}`).query(hints),
    ];
    for (const { status, body } of answers) {
      expect([status, body.description]).toEqual([400, 'accepts_incomplete must be true or false.']);
    }
    expect(asked).toEqual([]);
  });
});

describe('The query of a DELETE', () => {
  test.each([
    ['plan_id=small', 'service_id'],
    ['service_id=&plan_id=small', 'service_id'],
    ['service_id=cache', 'plan_id'],
    ['service_id=cache&plan_id=', 'plan_id'],
    ['service_id=cache&plan_id=%00', 'plan_id'],
    [`service_id=cache&plan_id=${'x'.repeat(1001)}`, 'plan_id'],
    ['service_id=cache&service_id=other&plan_id=small', 'service_id'],
  ])('UNB-03, DEP-03: %j is 400 naming %s.', async (query, field) => {
    for (const path of [instancePath, bindingPath]) {
      const answer = await platform.delete(`${path}?${query}`);
      expect([answer.status, answer.body.description]).toEqual([400, expect.stringContaining(field)]);
    }
    expect(asked).toEqual([]);
  });

  test('the same value twice is fine.', async () => {
    expect((await platform.delete(`${instancePath}?plan_id=a&plan_id=a&service_id=b`)).status).toBe(200);
  });
});

describe('Ids that nothing can have', () => {
  const odd = ['%00', 'a%00b', 'x'.repeat(256), '%F0%9F%91%8D'.repeat(128)];

  test.each(odd)('URL-04, URL-05, UNB-05, DEP-05: %s is answered without asking the broker.', async (id) => {
    const instance = `/v2/service_instances/${id}`;
    const status = async (request: PromiseLike<{ status: number }>) => (await request).status;
    expect(await status(platform.put(instance).send(provisionBody))).toBe(400);
    expect(await status(platform.patch(instance).send(updateBody))).toBe(404);
    expect(await status(platform.get(instance))).toBe(404);
    expect(await status(platform.get(`${instance}/last_operation`))).toBe(404);
    expect(await status(platform.delete(instance).query(hints))).toBe(410);
    for (const binding of [`${instance}/service_bindings/b1`, `${instancePath}/service_bindings/${id}`]) {
      expect(await status(platform.put(binding).send(bindBody))).toBe(400);
      expect(await status(platform.get(binding))).toBe(404);
      expect(await status(platform.get(`${binding}/last_operation`))).toBe(404);
      expect(await status(platform.delete(binding).query(hints))).toBe(410);
    }
    expect(asked).toEqual([]);
  });

  test('are named when something is to be made with them.', async () => {
    const instance = await platform.put('/v2/service_instances/%00').send(provisionBody);
    expect(instance.body.description).toBe('The instance_id must have 1 to 255 characters and no NUL.');
    const binding = await platform.put(`${instancePath}/service_bindings/%00`).send(bindBody);
    expect(binding.body.description).toBe('The binding_id must have 1 to 255 characters and no NUL.');
  });

  test('LOP-07: an operation that cannot be is not found.', async () => {
    expect((await platform.get(`${instancePath}/last_operation?operation=%00`)).status).toBe(404);
    expect(asked).toEqual([]);
  });
});

test('URL-02: 255 characters of any kind are an id.', async () => {
  const id = '/ü%👍'.repeat(51);
  expect(
    (await platform.put(`/v2/service_instances/${encodeURIComponent(id)}`).send(provisionBody)).status,
  ).toBe(201);
  expect(asked[0]?.[1]).toMatchObject({ instanceId: id });
});
