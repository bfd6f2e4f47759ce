// Stops brokers in the middle of the statement that tells of a step, so that they can be killed there.
import { Client } from 'pg';
import type { TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import type { Answer } from './broker-process.ts';

/** What becomes of the statement that tells of the step: it is executed, or thrown away with its connection. */
export const fates = ['recorded', 'done and not recorded'] as const;

/** A step of the instance's next operation. */
export interface StepPoint {
  readonly id: string;
  /** From 1. */
  readonly number: number;
  readonly fate: (typeof fates)[number];
}

export interface StepGate {
  shut(points: readonly StepPoint[]): Promise<void>;
  /** Waits until so many are stopped. */
  untilStopped(count: number): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Asks for all, and kills the broker when each has come to its point.
 * @returns the one that takes over from it
 */
export async function killAtEach<Point extends StepPoint, Broker extends { kill(): Promise<unknown> }>(
  gate: StepGate,
  points: readonly Point[],
  ask: (point: Point) => Promise<Answer>,
  broker: Broker,
  start: () => Promise<Broker>,
): Promise<Broker> {
  await gate.shut(points);
  for (const point of points) void askAgain(() => ask(point)).catch(() => undefined);
  await gate.untilStopped(points.length);
  await broker.kill();
  await gate.open();
  return start();
}

/** As a platform does as long as it is told to come again; whoever is killed has no answer. */
async function askAgain(ask: () => Promise<Answer>): Promise<void> {
  let answer: Answer;
  do answer = await ask();
  while (answer.status === 503);
}

/** @param database in which a broker has made its tables */
export async function openStepGate(database: TestDatabase): Promise<StepGate> {
  const gate = new Client(database.config);
  await gate.connect();
  await gate.query('create table points (instance_id text, number integer, fate integer)');
  // Whoever writes the step of such a number and instance waits for the gate's lock.
  await gate.query(`
    create function wait_at_point() returns trigger language plpgsql as $$ begin
      perform pg_advisory_xact_lock_shared(hashtext(current_schema), fate) from points p
        join operations o using (instance_id) where o.id = new.operation_id and p.number = new.number;
      return new;
    end $$`);
  await gate.query(
    'create trigger wait_at_point after insert on operation_steps for each row execute function wait_at_point()',
  );
  async function waiting(fate?: number): Promise<readonly number[]> {
    const { rows } = await gate.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and not granted and objsubid = 2
         and classid = ${lock}::oid and objid = coalesce($1::integer::oid, objid)`,
      [fate],
    );
    return rows.map(({ pid }) => pid);
  }
  return {
    async shut(points) {
      for (const { id, number, fate } of points)
        await gate.query('insert into points values ($1, $2, $3)', [id, number, fates.indexOf(fate)]);
      for (const fate of fates.keys()) await gate.query(`select pg_advisory_lock(${lock}, $1)`, [fate]);
    },
    async untilStopped(count) {
      await until(
        `${count} are stopped at their steps`,
        async () => (await waiting()).length === count,
        240_000,
      );
    },
    async open() {
      await gate.query('delete from points');
      for (const pid of await waiting(fates.indexOf('done and not recorded')))
        await gate.query('select pg_terminate_backend($1)', [pid]);
      await gate.query('select pg_advisory_unlock_all()');
      await until('they have ended', async () => (await waiting()).length === 0);
    },
    close: () => gate.end(),
  };
}

const lock = 'hashtext(current_schema)';
