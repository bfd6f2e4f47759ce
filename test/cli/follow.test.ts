import { jest } from '@jest/globals';
import { follow } from '../../src/cli/operator/asking/follow.ts';
import { until } from '../support/until.ts';

/** What is followed is told when it begins and when it ends, each once, whatever happens to the broker meanwhile. */

interface One {
  readonly id: string;
  readonly isOpen: boolean;
}

const begun = (id: string): One => ({ id, isOpen: true });
const ended = (id: string): One => ({ id, isOpen: false });

/** Follows a list that the test changes. `recent`: those that a look finds by their time. */
function start(first: readonly One[]) {
  const all = new Map(first.map((one) => [one.id, one]));
  const told: string[] = [];
  const ending = new AbortController();
  const state = { recent: [...all.keys()], trouble: '' };
  const followed = follow<One>(
    {
      async recent() {
        if (state.trouble) throw new Error(state.trouble);
        return state.recent.flatMap((id) => all.get(id) ?? []);
      },
      async again({ id }) {
        return all.get(id);
      },
      idOf: ({ id }) => id,
      isOpen: ({ isOpen }) => isOpen,
      tell: ({ id, isOpen }) => told.push(`${id} ${isOpen ? 'begun' : 'ended'}`),
    },
    ending.signal,
  );
  const end = async () => {
    ending.abort();
    await expect(followed).rejects.toThrow();
  };
  return { all, told, state, followed, end };
}

const complaints = jest.spyOn(console, 'error').mockImplementation(() => undefined);
afterEach(() => {
  complaints.mockClear();
});

test('What is followed is told as it is, then when it begins and when it ends, each once', async () => {
  const { all, told, state, end } = start([ended('a'), begun('b')]);
  await until('the first are told', () => told.length === 2);
  all.set('c', ended('c')).set('d', begun('d'));
  state.recent = ['b', 'c', 'd'];
  await until('the new ones are told', () => told.length === 4);
  all.set('b', ended('b')).set('d', ended('d'));
  // Too long ago to be found by its time.
  state.recent = ['c', 'd'];
  await until('the ends are told', () => told.length === 6);
  expect(told.slice(0, 4)).toEqual(['a ended', 'b begun', 'c ended', 'd begun']);
  expect(told.slice(4).toSorted()).toEqual(['b ended', 'd ended']);
  await end();
});

test('What is followed goes on when the broker was away, and why nothing comes is told once', async () => {
  const { all, told, state, end } = start([]);
  await until('it has looked', () => state.recent.length === 0);
  state.trouble = 'The broker cannot be reached.';
  await until('the trouble is told', () => complaints.mock.calls.length > 0);
  all.set('a', ended('a'));
  Object.assign(state, { recent: ['a'], trouble: '' });
  await until('what happened meanwhile is told', () => told.length === 1);
  expect(complaints.mock.calls).toEqual([['Waiting: The broker cannot be reached.']]);
  await end();
});

test('What cannot be asked at the first look is an error at once', async () => {
  const broken = follow<One>({
    recent: () => Promise.reject(new Error('no such operator')),
    again: async () => undefined,
    idOf: ({ id }) => id,
    isOpen: () => false,
    tell: () => undefined,
  });
  await expect(broken).rejects.toThrow('no such operator');
});
