import type { Store } from '../../src/broker/store.ts';
import { describeAnswers } from './contract/answers.ts';
import { describeBindingOpenings } from './contract/binding-openings.ts';
import { describeCancelling } from './contract/cancelling.ts';
import { describeHints } from './contract/hints.ts';
import { describeHolding } from './contract/holding.ts';
import { describeInstanceOpenings } from './contract/instance-openings.ts';
import { describeSettling } from './contract/settling.ts';

/** What every store must do. `makeStore` gives an empty one for each test. */
export type MakeStore = () => Store | Promise<Store>;

export function describeStore(name: string, makeStore: MakeStore): void {
  describe(name, () => {
    describe('opening an operation on an instance', () => describeInstanceOpenings(makeStore));
    describe('opening an operation on a binding', () => describeBindingOpenings(makeStore));
    describe('cancelling', () => describeCancelling(makeStore));
    describe('holding', () => describeHolding(makeStore));
    describe('settling', () => describeSettling(makeStore));
    describe('answers', () => describeAnswers(makeStore));
    describe('hints', () => describeHints(makeStore));
  });
}
