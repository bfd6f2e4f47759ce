// Real brokers on one database, one of which is killed, stopped or told to end while it works.
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { startBrokerProcess, type Answer, type BrokerProcess, type Shared } from './broker-process.ts';
import { fateOf, looksOf, prepare, request, success, type Subject } from './subject.ts';
import { kinds, quick, writeOffering, type FaultPlan, type Kind } from './offering.ts';
import { thingsIn } from './things.ts';
import { until } from '../support/until.ts';
import { watch, type Watch } from './watch.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const leaseMs = 12_000;
/** A broker looks by itself once a second; the rest is for a busy machine. */
const takeoverMs = leaseMs + 1000 + 40_000;

const drainMs = 12_000;
const longMs = 12_000;

const scratch = scratchDirectory('crash');
const sentence = 'The trial was made and could not be started.';
const plans: readonly FaultPlan[] = [
  ...kinds.map((kind) => ({ id: `short-${kind}`, with: { [kind]: { takes: '600ms' } } })),
  // Time to be held before the deed is done, and less than the lease, which is not renewed while it is held.
  ...kinds.map((kind) => ({ id: `held-${kind}`, with: { [kind]: { takes: '6s' } } })),
  ...kinds.map((kind) => ({ id: `long-${kind}`, with: { [kind]: { takes: `${longMs}ms` } } })),
  ...kinds.map((kind) => ({ id: `steps-${kind}`, with: { [kind]: { steps: 2, each: '4s' } } })),
  {
    id: 'undone-provision',
    with: { provision: { fails_after_making: sentence }, deprovision: { takes: '12s' } },
  },
  { id: 'endless-provision', with: { provision: { takes: '10m' } } },
  { id: 'undone-bind', with: { bind: { fails_after_making: sentence }, unbind: { takes: '12s' } } },
];
let database: TestDatabase;
let shared: Shared;
let seen: Watch;
let first: BrokerProcess;
let other: BrokerProcess;
const brokers: BrokerProcess[] = [];

beforeAll(async () => {
  database = await openTestDatabase();
  seen = watch(database);
  shared = { database, dataDir: join(scratch, 'data'), catalogDir: writeOffering(scratch, plans) };
  [first, other] = await Promise.all([
    // It carries only what it is asked for.
    start('first', { LEASE: `${leaseMs}ms`, DATABASE_POOL: '60', WORKERS: '0' }),
    // What it holds it never loses by accident, so that each takeover is one from the first.
    start('other', { LEASE: '10m', WORKERS: '40', DATABASE_POOL: '20', DRAIN: `${drainMs}ms` }),
  ]);
});
afterAll(async () => {
  for (const { signal, ended } of brokers) {
    signal('SIGKILL');
    await ended;
  }
  await seen.close();
  await database.close();
});

async function start(name: string, env: Record<string, string> = {}): Promise<BrokerProcess> {
  const broker = await startBrokerProcess(name, shared, env);
  brokers.push(broker);
  return broker;
}

/** Asks the first one, which will not answer. */
function ask(subject: Subject): void {
  void request(first, subject).catch(() => undefined);
}

/** When the other one took up the operation for the first time; NaN for never. */
function claimedByOther(operation: string | undefined): number {
  const claim = other.lines().find((line) => line.operation === operation && line.message === claimed);
  return claim ? Date.parse(claim.time) : Number.NaN;
}

const claimed = 'operation claimed';

describe('A broker is stopped for longer than its lease, and goes on', () => {
  const over: Subject[] = kinds.map((kind) => ({ id: `stopped-${kind}`, kind, plan: `held-${kind}` }));
  const underway: Subject[] = kinds.map((kind) => ({ id: `resumed-${kind}`, kind, plan: `long-${kind}` }));
  const deleted: Subject = { id: 'stopped-deleted', kind: 'provision', plan: 'held-provision' };
  const cases = [
    ...over.map((subject) => ({ when: 'when the other one has completed it', subject, kind: subject.kind })),
    ...underway.map((subject) => ({ when: 'while the other one is at it', subject, kind: subject.kind })),
  ];
  const subjects = [...over, ...underway, deleted];
  const answers = new Map<Subject, Answer>();

  beforeAll(async () => {
    await Promise.all(cases.map(({ subject }) => prepare(other, subject)));
    const asked = subjects.map(async (subject) => answers.set(subject, await request(first, subject)));
    await Promise.all(subjects.map((subject) => seen.heldBy(first, subject)));
    first.signal('SIGSTOP');
    const wokenAt = Date.now() + longMs;
    await Promise.all([...over, deleted].map((subject) => seen.untilOver(subject)));
    expect((await request(other, { ...deleted, kind: 'deprovision' })).status).toBe(200);
    const before = await operationsOver();
    await Promise.all(underway.map((subject) => seen.heldBy(other, subject)));
    // By now its own steps would be over, and the other one's have just begun.
    await until('its steps would be over', () => Date.now() > wokenAt);

    first.signal('SIGCONT');
    await Promise.all(asked);
    await seen.untilNothingIsOpen();
    expect(await operationsOver()).toEqual(before);
  });

  async function operationsOver(): Promise<readonly unknown[]> {
    const ids = [...over, deleted].map(({ id }) => id);
    const text = 'select * from operations where instance_id = any ($1) order by seq';
    return (await database.pool.query(text, [ids])).rows;
  }

  test.each(cases)('$when: its $kind is not completed twice', async ({ subject, kind }) => {
    const [operation] = await seen.operationsOf(subject);
    await until('it has noticed', () => endIn(first, operation)?.startsWith('operation lost'));
    expect(endIn(other, operation)).toBe('operation succeeded');
    expect(answers.get(subject)?.status).toBe(success[kind].status);
    const { fate, things } = success[kind];
    expect(await fateOf(other, subject)).toMatchObject(fate);
    expect(await seen.thingsOf(subject)).toEqual(things);
  });

  test('What was completed and then deleted while a broker was stopped is not begun again', async () => {
    expect((await looksOf(other, deleted)).fetched.status).toBe(404);
    expect(answers.get(deleted)?.status).toBe(422);
  });
});

describe('A broker is taken over in the moment in which it settles', () => {
  const subjects: Subject[] = kinds.map((kind) => ({ id: `overtaken-${kind}`, kind, plan: `held-${kind}` }));
  const somebodyElse = `update operations set attempt = attempt + 1, holder = 'x', due_at = now() where id = $1`;
  let answers: readonly Answer[];

  beforeAll(async () => {
    await Promise.all(subjects.map((subject) => prepare(other, subject)));
    const asked = subjects.map((subject) => request(first, subject));
    const stopped = await Promise.all(
      subjects.map((subject) => seen.stopAfterDeed(first, subject, somebodyElse)),
    );
    await Promise.all(stopped.map((one) => one.commit()));
    answers = await Promise.all(asked);
    await seen.untilNothingIsOpen();
  });

  test.each(subjects)(
    'A broker that is taken over in the moment in which it settles does not complete its $kind',
    async (subject) => {
      const [operation] = await seen.operationsOf(subject);
      await until('it has noticed', () => endIn(first, operation)?.startsWith('operation lost'));
      await until('the other one has told it', () => endIn(other, operation) === 'operation succeeded');
      expect(answers[subjects.indexOf(subject)]?.status).toBe(success[subject.kind].status);
      expect(await fateOf(other, subject)).toMatchObject(success[subject.kind].fate);
      expect(await seen.thingsOf(subject)).toEqual(success[subject.kind].things);
    },
  );
});

/** How a broker says that it has no more to do with the operation. */
function endIn(broker: BrokerProcess, operation: string | undefined): string | undefined {
  const ends = broker
    .lines()
    .filter((line) => line.operation === operation && /lost|succeeded/.test(line.message));
  return ends.at(-1)?.message;
}

/** Where a broker is with an operation when it is killed. */
const points = {
  'has written the intent and begun nothing': 'intent',
  'is in the middle of a step': 'step',
  'rests between two steps': 'rest',
  'has done the deed and not told it': 'deed',
} as const;

function subjectAt(point: string, kind: Kind): Subject {
  const speed = { intent: quick, step: `long-${kind}`, rest: `steps-${kind}`, undone: `undone-${kind}` };
  const plan = (speed as Record<string, string>)[point] ?? `held-${kind}`;
  return { id: `killed-${point}-${kind}`, kind, plan };
}

describe('A broker is killed', () => {
  const cases = Object.entries(points).flatMap(([when, point]) =>
    kinds.map((kind) => ({ when, point, kind, subject: subjectAt(point, kind) })),
  );
  const told = kinds.map((kind) => ({ kind, subject: subjectAt('told', kind) }));
  const undone = (['provision', 'bind'] as const).map((kind) => ({
    kind,
    subject: subjectAt('undone', kind),
  }));
  const leftOver: Subject = { id: 'killed-left-over', kind: 'deprovision', plan: 'short-unbind' };
  const unwanted: Subject = { id: 'killed-unwanted', kind: 'provision', plan: 'long-provision' };
  const subjects = [...cases, ...told, ...undone].map(({ subject }) => subject);
  let killedAt: number;
  let removal: Answer;

  beforeAll(async () => {
    await Promise.all([...subjects, leftOver].map((subject) => prepare(other, subject)));
    for (const binding of ['b', 'c']) {
      expect((await request(other, { ...leftOver, kind: 'bind', binding })).status).toBe(201);
    }

    const intents = await Promise.all(at('intent').map((subject) => seen.stopAtIntent(first, subject)));
    for (const subject of [...at('deed'), ...at('told')]) ask(subject);
    const [deeds, answers] = await Promise.all([
      Promise.all(at('deed').map((subject) => seen.stopAfterDeed(first, subject))),
      Promise.all(at('told').map((subject) => seen.stopAfterDeed(first, subject))),
    ]);
    for (const subject of [...at('undone'), leftOver, unwanted, ...at('rest'), ...at('step')]) ask(subject);
    await Promise.all([
      ...at('undone').map((subject) => seen.heldBy(first, subject, 'failure is not null')),
      ...at('rest').map((subject) => seen.heldBy(first, subject, `note = 'Step 1 of 2'`)),
      ...[...at('step'), leftOver, unwanted].map((subject) => seen.heldBy(first, subject)),
    ]);
    first.signal('SIGKILL');
    await first.ended;
    killedAt = Date.now();
    // What is over must be written before somebody can take it for forsaken.
    other.signal('SIGSTOP');
    await Promise.all(answers.map((one) => one.release()));
    await Promise.all(at('told').map((subject) => seen.untilOver(subject)));
    other.signal('SIGCONT');
    const removed = request(other, { ...unwanted, kind: 'deprovision' });
    await Promise.all(intents.map((one) => one.release()));
    await Promise.all(deeds.map((one) => one.discard(first.name)));
    removal = await removed;
    await seen.untilNothingIsOpen();
  });

  function at(point: string): readonly Subject[] {
    return subjects.filter(({ id }) => id.startsWith(`killed-${point}-`));
  }

  test.each(cases)(
    'A broker is killed while it $when: its $kind is completed by the other one',
    async ({ subject, kind }) => {
      const [operation, ...more] = await seen.operationsOf(subject);
      expect(more).toEqual([]);
      expect(claimedByOther(operation) - killedAt).toBeLessThan(takeoverMs);
      const { fate, things } = success[kind];
      expect(await fateOf(other, subject)).toMatchObject(fate);
      expect(await seen.thingsOf(subject)).toEqual(things);
      expect(await seen.operationsOf(subject)).toEqual([operation]);
    },
  );

  test.each(told)(
    'A broker is killed when its $kind is over but not answered: it stays as it is',
    async ({ subject, kind }) => {
      const [operation] = await seen.operationsOf(subject);
      expect(claimedByOther(operation)).toBeNaN();
      const { fate, things } = success[kind];
      expect(await fateOf(other, subject)).toMatchObject(fate);
      expect(await seen.thingsOf(subject)).toEqual(things);
      expect(await seen.operationsOf(subject)).toEqual([operation]);
    },
  );

  test.each(undone)(
    'A broker is killed while it undoes a failed $kind: the other one goes on undoing [ORP-01]',
    async ({ subject, kind }) => {
      const [operation] = await seen.operationsOf(subject);
      expect(claimedByOther(operation) - killedAt).toBeLessThan(takeoverMs);
      const { lastOperation, fetched } = await looksOf(other, subject);
      expect(lastOperation.body).toEqual({ state: 'failed', description: sentence });
      expect(fetched.status).toBe(404);
      expect(await seen.thingsOf(subject)).toEqual(kind === 'bind' ? [''] : []);
      const removing = { ...subject, kind: kind === 'bind' ? 'unbind' : 'deprovision' } as const;
      expect((await request(other, removing)).status).toBe(200);
      expect((await request(other, removing)).status).toBe(410);
    },
  );

  test('A broker is killed while it removes an instance with bindings: the other one removes the rest', async () => {
    expect(await fateOf(other, leftOver)).toMatchObject(success.deprovision.fate);
    expect(await seen.thingsOf(leftOver)).toEqual([]);
  });

  test('A broker is killed while it makes what is then deleted: the removal waits for its lease and leaves nothing [DEP-08]', async () => {
    expect(removal.status).toBe(200);
    expect(await fateOf(other, { ...unwanted, kind: 'deprovision' })).toMatchObject(success.deprovision.fate);
    expect(await seen.thingsOf(unwanted)).toEqual([]);
  });

  test('After brokers were killed there is exactly what the rows tell of', async () => {
    const { rows } = await database.pool.query<{ thing: string }>(
      `select id as thing from service_instances union all
        select instance_id || '/' || id from service_bindings`,
    );
    const told = rows.map(({ thing }) => thing);
    const ours = (thing: string) => thing.startsWith('killed-');
    expect((await thingsIn(database)).filter(ours)).toEqual(told.filter(ours).toSorted());
  });
});

describe('A broker is told to end', () => {
  const brief: Subject = { id: 'ended-brief', kind: 'provision', plan: 'short-provision' };
  const endless: Subject = { id: 'ended-endless', kind: 'provision', plan: 'endless-provision' };

  test('A broker is told to end: running requests get their answers, and another broker goes on with the rest at once', async () => {
    const third = await start('third');
    const [answer, cut] = [request(other, brief), request(other, endless).catch(() => 'cut off')];
    await seen.heldBy(other, brief);
    const operation = await seen.heldBy(other, endless);

    const toldAt = Date.now();
    other.signal('SIGTERM');
    expect((await answer).status).toBe(201);
    expect(await seen.heldBy(third, endless)).toBe(operation);
    // Half of the time to end is for what runs; the lease would have lasted for minutes.
    expect(Date.now() - toldAt).toBeLessThan(drainMs / 2 + 30_000);
    expect((await other.ended).code).toBe(0);
    expect(Date.now() - toldAt).toBeLessThan(drainMs + 30_000);
    await cut;

    expect((await request(third, { ...endless, kind: 'deprovision' })).status).toBe(200);
    expect(await fateOf(third, { ...endless, kind: 'deprovision' })).toMatchObject(success.deprovision.fate);
    expect([await seen.thingsOf(endless), await seen.thingsOf(brief)]).toEqual([[], ['']]);
    third.signal('SIGTERM');
    expect((await third.ended).code).toBe(0);
  });
});
