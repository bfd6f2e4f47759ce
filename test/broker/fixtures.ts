import { randomUUID } from 'node:crypto';
import type { Bind, Deprovision, StartStop, Provision, Unbind, Update } from '../../src/broker/broker.ts';
import type { Making, Operating, ServicePlan } from '../../src/broker/catalog.ts';
import type {
  FoundInstance,
  Operation,
  OperationKind,
  ServiceBinding,
  ServiceInstance,
} from '../../src/broker/records.ts';

/** Small valid things for tests of the core; each takes what the test is about. */

const making: Making = {
  provisioner: 'scripted',
  config: {},
  settings: {},
  defaults: {},
  secrets: { password: { per: 'binding', length: 20 } },
  asyncRequired: [],
  requiresApp: false,
  answer: { credentials: { password: '{{secrets.password}}' } },
};

const operating: Operating = {
  cost: 1,
  executables: [],
  timeouts: {},
  monitor: { every: 10_000, restart: 3, within: 600_000 },
  hooks: {},
  dependencies: {},
};

type PlanParts = Partial<Omit<ServicePlan, 'making' | 'operating'>> & {
  making?: Partial<Making>;
  operating?: Partial<Operating>;
};

export function aPlan({ making: made = {}, operating: operated = {}, ...rest }: PlanParts = {}): ServicePlan {
  const id = rest.id ?? 'small';
  return {
    offeringId: 'cache',
    offeringName: 'cache',
    id,
    name: id,
    description: 'A plan',
    free: true,
    bindable: true,
    planUpdateable: true,
    bindingRotatable: true,
    bindingsRetrievable: true,
    revision: `${id}-1`,
    definition: { id },
    making: { ...making, ...made },
    operating: { ...operating, ...operated },
    check: { provision: () => undefined, update: () => undefined, bind: () => undefined },
    ...rest,
  };
}

const origin = { protocol: 'test' };
const someTime = new Date('2026-01-01T00:00:00Z');

export function anInstance(rest: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    id: 'i1',
    version: 1,
    offeringId: 'cache',
    planId: 'small',
    revision: 'small-1',
    organizationGuid: 'org',
    spaceGuid: 'space',
    context: {},
    ready: true,
    confidential: { parameters: {}, secrets: {}, facts: {} },
    createdAt: someTime,
    updatedAt: someTime,
    ...rest,
  };
}

export function aBinding(rest: Partial<ServiceBinding> = {}): ServiceBinding {
  return {
    instanceId: 'i1',
    id: 'b1',
    context: {},
    ready: true,
    confidential: { parameters: {}, secrets: {}, facts: {}, answer: {} },
    createdAt: someTime,
    ...rest,
  };
}

export function anOperation(kind: OperationKind, rest: Partial<Operation> = {}): Operation {
  return {
    id: `op-${kind}`,
    kind,
    instanceId: 'i1',
    offeringId: 'cache',
    planId: 'small',
    state: 'in progress',
    attempt: 1,
    failures: 0,
    origin,
    confidential: {},
    createdAt: someTime,
    deadline: new Date(someTime.getTime() + 3_600_000),
    ...rest,
  };
}

export function found(instance: ServiceInstance, operation?: Operation, bindingsBusy = false): FoundInstance {
  return { instance, bindingsBusy, ...(operation ? { operation } : {}) };
}

export function toProvision(rest: Partial<Provision> = {}): Provision {
  return {
    instanceId: 'i1',
    offeringId: 'cache',
    planId: 'small',
    organizationGuid: 'org',
    spaceGuid: 'space',
    parameters: {},
    context: {},
    origin,
    acceptsIncomplete: false,
    ...rest,
  };
}

export function toUpdate(rest: Partial<Update> = {}): Update {
  return { instanceId: 'i1', offeringId: 'cache', parameters: {}, origin, acceptsIncomplete: false, ...rest };
}

export function toDeprovision(rest: Partial<Deprovision> = {}): Deprovision {
  return {
    instanceId: 'i1',
    offeringId: 'cache',
    planId: 'small',
    origin,
    acceptsIncomplete: false,
    ...rest,
  };
}

export function toBind(rest: Partial<Bind> = {}): Bind {
  return {
    instanceId: 'i1',
    bindingId: 'b1',
    offeringId: 'cache',
    planId: 'small',
    parameters: {},
    context: {},
    origin,
    acceptsIncomplete: false,
    ...rest,
  };
}

export function toUnbind(rest: Partial<Unbind> = {}): Unbind {
  return { ...toDeprovision(), bindingId: 'b1', ...rest };
}

export function toOperate(rest: Partial<StartStop> = {}): StartStop {
  return { instanceId: 'i1', origin, acceptsIncomplete: false, ...rest };
}

export function newId(): string {
  return randomUUID();
}
