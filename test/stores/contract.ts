import { describeAnswers } from './contract/answers.ts';
import { describeAudit, describeAuditOfNodes } from './contract/audit.ts';
import { describeBackups } from './contract/backups.ts';
import { describeBindingOpenings } from './contract/binding-openings.ts';
import { describeCancelling } from './contract/cancelling.ts';
import { describeBindingLists } from './contract/binding-lists.ts';
import { describeCancellingByHand } from './contract/cancelling-by-hand.ts';
import { describeCarrying } from './contract/carrying.ts';
import { describeChecks } from './contract/checks.ts';
import { describeExclusion } from './contract/exclusion.ts';
import { describeHints } from './contract/hints.ts';
import { describeHolding } from './contract/holding.ts';
import { describeHistory } from './contract/history.ts';
import { describeInstanceOpenings } from './contract/instance-openings.ts';
import { describeLists } from './contract/lists.ts';
import { describeNeeds } from './contract/needs.ts';
import { describeNodes } from './contract/nodes.ts';
import { describeOrphans } from './contract/orphans.ts';
import { describeQuotas } from './contract/quotas.ts';
import { describePlacing } from './contract/placing.ts';
import { describePurging } from './contract/purging.ts';
import { describePorts } from './contract/ports.ts';
import { describeUsers } from './contract/users.ts';
import { describeSettling } from './contract/settling.ts';
import type { MakeStore, MakeRemembered } from './contract/remembered.ts';

export function describeStore(name: string, makeStore: MakeStore): void {
  describe(name, () => {
    describe('opening an operation on an instance', () => describeInstanceOpenings(makeStore));
    describe('opening an operation on a binding', () => describeBindingOpenings(makeStore));
    describe('cancelling', () => describeCancelling(makeStore));
    describe('purging', () => describePurging(makeStore));
    describe('cancelling by hand', () => describeCancellingByHand(makeStore));
    describe('lists of bindings', () => describeBindingLists(makeStore));
    describe('holding', () => describeHolding(makeStore));
    describe('settling', () => describeSettling(makeStore));
    describe('answers', () => describeAnswers(makeStore));
    describe('carrying by nodes', () => describeCarrying(makeStore));
    describe('needs', () => describeNeeds(makeStore));
    describe('backups', () => describeBackups(makeStore));
    describe('history', () => describeHistory(makeStore));
    describe('lists', () => describeLists(makeStore));
    describe('checks', () => describeChecks(makeStore));
    describe('hints', () => describeHints(makeStore));
    describe('audit', () => describeAudit(makeStore));
  });
}

export function describeRemembered(name: string, makeRemembered: MakeRemembered): void {
  describe(name, () => {
    describe('exclusion', () => describeExclusion(makeRemembered));
    describe('placing', () => describePlacing(makeRemembered));
    describe('quotas', () => describeQuotas(makeRemembered));
    describe('nodes', () => describeNodes(makeRemembered));
    describe('ports', () => describePorts(makeRemembered));
    describe('users', () => describeUsers(makeRemembered));
    describe('orphans', () => describeOrphans(makeRemembered));
    describe('audit', () => describeAuditOfNodes(makeRemembered));
  });
}
