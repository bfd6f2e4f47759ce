import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Response } from 'supertest';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { runProgram } from '../../support/run-program.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import {
  operatorPassword,
  startWholeBroker,
  type Asked,
  type WholeBroker,
} from '../../support/whole-broker.ts';

/** A broker that sells what is broken in many ways, and what its operator asks of it. */
export interface RepairBroker {
  readonly broker: () => WholeBroker;
  readonly database: () => TestDatabase;
  /** Sends a request as a platform that accepts incomplete work. */
  readonly ask: (method: Method, id: string, plan: string, rest?: Rest) => Promise<Response>;
  /** One that has been made; gives its id. */
  readonly made: (plan: string) => Promise<string>;
  readonly bound: (id: string, plan: string, bindingId: string) => Promise<void>;
  readonly operate: (
    method: Method,
    path: string,
    query?: Asked['query'],
    body?: object,
  ) => Promise<Response>;
  readonly rows: (statement: string, ...values: readonly string[]) => Promise<readonly Row[]>;
  readonly command: (
    ...words: readonly string[]
  ) => Promise<{ code: number | null; output: string; errors: string }>;
  /** The latest operation of it, when it is not in progress any more. */
  readonly ended: (id: string) => Promise<Row>;
}

type Method = 'get' | 'put' | 'patch' | 'post' | 'delete';
type Row = Readonly<Record<string, unknown>>;
interface Rest {
  readonly below?: string;
  readonly body?: object;
  readonly query?: Asked['query'];
}

const offering = '5f0e3f55-7a51-4a4e-9f0b-0000000000a0';

/** @param plans what is wrong with each, as `with:` of the provisioner `faulty`; `kept` keeps what is deleted */
export function repairBroker(plans: Readonly<Record<string, object>>): RepairBroker {
  const names = Object.keys(plans);
  const ids = (plan: string) => ({
    service_id: offering,
    plan_id: `5f0e3f55-7a51-4a4e-9f0b-0000000001${String(names.indexOf(plan)).padStart(2, '0')}`,
  });
  let database: TestDatabase | undefined;
  let broker: WholeBroker | undefined;

  beforeAll(async () => {
    database = await openTestDatabase();
    const catalog = scratchDirectory('repair');
    const file = {
      id: offering,
      name: 'broken',
      description: 'Broken things',
      provisioner: 'faulty',
      instances_retrievable: true,
      bindings_retrievable: true,
      plan_updateable: true,
      parameters: { size: { type: 'integer', minimum: 1, maximum: 10, default: 1 } },
      plans: names.map((name) => ({
        id: ids(name).plan_id,
        name,
        description: name,
        with: plans[name],
        ...(name === 'kept' && { keep_deleted: '1d' }),
      })),
      credentials: { name: '{{thing.name}}' },
    };
    writeFileSync(join(catalog, 'broken.yaml'), JSON.stringify(file));
    broker = await startWholeBroker(database, { CATALOG_DIR: catalog });
  });
  afterAll(async () => {
    await broker?.stop();
    await database?.close();
  });

  const required = <Value>(value: Value | undefined): Value => {
    if (value === undefined) throw new Error('It has not been started.');
    return value;
  };
  const rows: RepairBroker['rows'] = async (statement, ...values) =>
    (await required(database).pool.query<Row>(statement, [...values])).rows;
  const ask: RepairBroker['ask'] = (method, id, plan, { below = '', body = {}, query = {} } = {}) => {
    const inQuery = method === 'delete' || method === 'get';
    const space = method === 'put' && below === '' ? { organization_guid: 'o', space_guid: 's' } : {};
    const sent = inQuery ? {} : { body: { ...ids(plan), ...space, ...body } };
    return required(broker).ask(method, `/v2/service_instances/${id}${below}`, {
      ...sent,
      query: { accepts_incomplete: 'true', ...(inQuery ? ids(plan) : {}), ...query },
    });
  };
  const ended: RepairBroker['ended'] = (id) =>
    until(`the operation of ${id} has ended`, async () => {
      const [row] = await rows(
        'select * from operations where instance_id = $1 order by seq desc limit 1',
        id,
      );
      return row?.['state'] !== 'in progress' && row;
    });
  return {
    broker: () => required(broker),
    database: () => required(database),
    ask,
    async made(plan) {
      const id = randomUUID();
      const { status, text } = await ask('put', id, plan);
      expect([201, 202].includes(status) ? '' : text).toBe('');
      expect(await ended(id)).toMatchObject({ state: 'succeeded' });
      return id;
    },
    async bound(id, plan, bindingId) {
      const { status, text } = await ask('put', id, plan, { below: `/service_bindings/${bindingId}` });
      expect([201, 202].includes(status) ? '' : text).toBe('');
      expect(await ended(id)).toMatchObject({ state: 'succeeded' });
    },
    operate: (method, path, query = {}, body = {}) =>
      required(broker).ask(method, `/operator/${path}`, {
        login: `operator:${operatorPassword}`,
        query,
        ...(method === 'post' ? { body } : {}),
      }),
    rows,
    command: (...words) =>
      runProgram(words, {
        PORT: new URL(required(broker).url).port,
        OPERATOR_PASSWORD: operatorPassword,
      }).ended,
    ended,
  };
}
