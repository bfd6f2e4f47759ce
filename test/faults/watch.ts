import type { TestDatabase } from '../support/database.ts';
import { brake, type Brake } from './brake.ts';
import type { BrokerProcess } from './broker-process.ts';
import { request, success, type Subject } from './subject.ts';
import { thingsIn } from './things.ts';
import { until } from '../support/until.ts';

/** Sees from outside what brokers do, and stops them where they must not go on. */
export interface Watch {
  /** Waits until the broker holds the open operation of the subject; gives the operation's id. */
  heldBy(broker: BrokerProcess, subject: Subject, more?: string): Promise<string>;
  /** Waits until the operation has ended. */
  untilOver(subject: Subject): Promise<void>;
  untilNothingIsOpen(): Promise<void>;
  /** All operations of this kind on the instance, the oldest first. */
  operationsOf(subject: Subject): Promise<readonly (string | undefined)[]>;
  /** The things of its instance, without the instance's id. */
  thingsOf(subject: Subject): Promise<readonly string[]>;
  /** Asks the broker and stops it when it is about to write the intent. */
  stopAtIntent(broker: BrokerProcess, subject: Subject): Promise<Brake>;
  /**
   * Stops the broker, which has been asked, when it has done the deed and is about to write that.
   * @param statement that locks the operation
   */
  stopAfterDeed(broker: BrokerProcess, subject: Subject, statement?: string): Promise<Brake>;
  /** Lets go of all that is still stopped, as after a test that failed. */
  close(): Promise<void>;
}

export function watch(database: TestDatabase): Watch {
  async function idsOf(condition: string, values: readonly unknown[]): Promise<readonly string[]> {
    const text = `select id from operations where ${condition} order by seq`;
    return (await database.pool.query<{ id: string }>(text, [...values])).rows.map(({ id }) => id);
  }
  const brakes: Brake[] = [];
  async function stop(statement: string, id: string): Promise<Brake> {
    const stopped = await brake(database, statement, [id]);
    brakes.push(stopped);
    return stopped;
  }
  const open = `instance_id = $1 and kind = $2 and state = 'in progress'`;

  const heldBy: Watch['heldBy'] = ({ name, pid }, { id, kind }, more = 'true') =>
    until(`${name} holds the ${kind} of ${id}, and ${more}`, async () => {
      const [held] = await idsOf(`${open} and holder like $3 and ${more}`, [id, kind, `%-${pid}-%`]);
      return held;
    });
  const thingsOf: Watch['thingsOf'] = async ({ id }) => {
    const own = (await thingsIn(database)).filter((thing) => thing === id || thing.startsWith(`${id}/`));
    return own.map((thing) => thing.slice(id.length));
  };
  return {
    heldBy,
    thingsOf,
    async untilOver({ id, kind }) {
      await until(`the ${kind} of ${id} is over`, async () => (await idsOf(open, [id, kind])).length === 0);
    },
    async untilNothingIsOpen() {
      await until('nothing is open', async () => (await idsOf(`state = 'in progress'`, [])).length === 0);
    },
    operationsOf: ({ id, kind }) => idsOf('instance_id = $1 and kind = $2', [id, kind]),
    async stopAtIntent(broker, subject) {
      const { id, kind } = subject;
      const stopped = await stop(kind === 'provision' ? newInstance : knownInstance, id);
      void request(broker, subject).catch(() => undefined);
      await until(
        `it is about to open the ${kind}`,
        async () => (await stopped.waiting(broker.name)).length > 0,
      );
      return stopped;
    },
    async stopAfterDeed(broker, subject, statement = 'select from operations where id = $1 for update') {
      const stopped = await stop(statement, await heldBy(broker, subject));
      await until(`it is about to settle the ${subject.kind}`, async () =>
        (await stopped.waiting(broker.name)).some((text) => text.includes('ended as')),
      );
      expect(await thingsOf(subject)).toEqual(success[subject.kind].things);
      return stopped;
    },
    close: async () => void (await Promise.all(brakes.map((one) => one.release()))),
  };
}

// Whoever inserts the same key waits for this one to be kept or not.
const newInstance = `insert into service_instances
  (id, version, offering_id, plan_id, revision, context, ready, confidential)
  values ($1, 1, '', '', '', '{}', false, '{}')`;
const knownInstance = 'select from service_instances where id = $1 for update';
