import { unitStatuses } from '../../../broker/units.ts';
import { declaredActions } from './actions.ts';
import { next, operationAnswer, timedOperationAnswer } from './operations.ts';
import {
  amount,
  anything,
  dictionary,
  list,
  maybe,
  named,
  object,
  text,
  time,
  truth,
  whole,
  words,
  type ValueOf,
} from './shape.ts';

const unitAnswer = named(
  'Unit',
  object({
    unit: text(),
    status: words(unitStatuses),
    reason: text(),
    since: time(),
    pid: maybe(whole()),
    address: maybe(text()),
  }),
);
export type UnitAnswer = ValueOf<typeof unitAnswer>;

const instance = object({
  id: text(),
  key: maybe(text('Of which the names of its directories, users and databases are made.')),
  offering: text('By name; the id where it has left the catalog.'),
  offering_id: text(),
  plan: text('By name; the id where it has left the catalog.'),
  plan_id: text(),
  state: text('ready, failed, lost, or what is being done with it.'),
  status: words(unitStatuses),
  reason: text('Why it has that status.'),
  units: list(unitAnswer),
  addresses: list(text()),
  checked_at: maybe(time('When its status was seen.')),
  left_alone: maybe(truth('Nothing starts its units again: they died too often.')),
  stopped: truth(),
  stopped_units: list(text()),
  drifted: truth('Its plan has changed since it was made or last updated.'),
  protected_from: maybe(time('From when on it is refused to be deleted; absent: it may be.')),
  kept_until: maybe(time('It has been deleted, and is removed then; absent: it has not.')),
  node: maybe(text()),
  cost: maybe(amount('What it takes of the capacity of its node.')),
  bindings: whole('How many there are.'),
  lost: maybe(object({ node: text(), at: time() })),
  parent: maybe(text('The instance that it was made for.')),
  name: maybe(text('As its users call it.')),
  platform: maybe(text()),
  organization: maybe(text('By name: of tsuru the team, of Kubernetes the cluster.')),
  organization_guid: maybe(text()),
  space: maybe(text('By name: of Kubernetes the namespace.')),
  space_guid: maybe(text()),
  requester: maybe(anything('The originating identity of who had it made, as the platform has said it.')),
  operation: maybe(operationAnswer),
  created_at: time(),
  updated_at: time(),
});

export const instanceAnswer = named('Instance', instance);
export type InstanceAnswer = ValueOf<typeof instanceAnswer>;

export const instancesAnswer = named('Instances', object({ instances: list(instanceAnswer), next }));
export type InstancesAnswer = ValueOf<typeof instancesAnswer>;

const binding = object({
  id: text(),
  state: text(),
  app_guid: maybe(text()),
  route: maybe(text()),
  predecessor_binding_id: maybe(text()),
  needed_by: maybe(text('The instance that holds it.')),
  context: dictionary(text(), 'By what people know that which is bound, as its platform has said.'),
  operation: maybe(operationAnswer),
  created_at: time(),
  expires_at: maybe(time()),
});

const bindingAnswer = named('Binding', binding);
export type BindingAnswer = ValueOf<typeof bindingAnswer>;

const listedBindingAnswer = named(
  'ListedBinding',
  object({
    ...binding.members,
    instance_id: text(),
    offering: text('By name; the id where it has left the catalog.'),
    offering_id: text(),
    plan: text('By name; the id where it has left the catalog.'),
    plan_id: text(),
  }),
);
export type ListedBindingAnswer = ValueOf<typeof listedBindingAnswer>;

export const bindingsAnswer = named('Bindings', object({ bindings: list(listedBindingAnswer), next }));
export type BindingsAnswer = ValueOf<typeof bindingsAnswer>;

export const instanceDetailsAnswer = named(
  'InstanceDetails',
  object({
    ...instance.members,
    account: maybe(
      text(
        'As whom its programs run: the number of a user of its own, or `shared`; absent: it runs none on a node.',
      ),
    ),
    actions: declaredActions,
    needed_by: list(text(), 'Instances.'),
    needs: list(text(), 'Instances.'),
    bound: list(bindingAnswer, 'Those that failed too, in the order in which they were made.'),
    operations: list(timedOperationAnswer, 'The latest first.'),
  }),
);
export type InstanceDetailsAnswer = ValueOf<typeof instanceDetailsAnswer>;
