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

/** What stands in the address of a request reaches the broker, or is refused by name before it hears of it. */

const { platform, asked } = scripted();
const { put, patch, bind } = senders({ platform });

beforeEach(() => void (asked as unknown[]).splice(0));

describe('accepts_incomplete', () => {
  test.each([
    ['', false],
    ['accepts_incomplete=true', true],
    ['accepts_incomplete=false', false],
    ['accepts_incomplete=', false],
    ['accepts_incomplete', false],
    ['accepts_incomplete=true&accepts_incomplete=true', true],
    ['accepts_incomplete[]=true', false],
  ])('The member accepts_incomplete in the query %j is read.', async (query, acceptsIncomplete) => {
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

  test('A query of a DELETE may say the same value twice.', async () => {
    expect((await platform.delete(`${instancePath}?plan_id=a&plan_id=a&service_id=b`)).status).toBe(200);
  });
});

describe('Ids that nothing can have', () => {
  const odd = ['x'.repeat(256), '%F0%9F%91%8D'.repeat(128)];

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

  test('Ids that nothing can have are named when something is to be made with them.', async () => {
    const long = 'x'.repeat(256);
    const instance = await platform.put(`/v2/service_instances/${long}`).send(provisionBody);
    expect(instance.body.description).toBe('The instance_id must have 1 to 255 characters and no NUL.');
    const binding = await platform.put(`${instancePath}/service_bindings/${long}`).send(bindBody);
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
