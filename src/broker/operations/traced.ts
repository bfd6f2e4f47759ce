// What an operation goes through, as spans: it is opened by one broker, and run by that one or by others.
import { tracingOf, type BrokerContext, type OpenSpan, type SpanSubject } from '../context.ts';
import type { Operation, OperationKind } from '../records.ts';

type Carrier = Operation['carrier'];

/** Gives by what others go on with the trace that it is a part of. */
export function tracedOpening<Result>(
  core: BrokerContext,
  operation: Operation,
  work: (carrier: Carrier) => Promise<Result>,
): Promise<Result> {
  const tracing = tracingOf(core);
  return tracing.within({ ...spanOf('open', operation), opens: true }, () => work(tracing.carrier()));
}

/** Whoever runs it, it is in the trace in which it was opened. */
export function tracedRun<Result>(
  core: BrokerContext,
  operation: Operation,
  work: (span: OpenSpan) => Promise<Result>,
): Promise<Result> {
  const { name, attributes } = spanOf('run', operation);
  return tracingOf(core).within(
    {
      name,
      attributes: { ...attributes, 'purveyor.holder': core.settings.holder },
      follows: operation.carrier,
    },
    work,
  );
}

export function tracedStep<Result>(
  core: BrokerContext,
  operation: Operation,
  work: (span: OpenSpan) => Promise<Result>,
): Promise<Result> {
  return tracingOf(core).within(spanOf('step', operation), work);
}

/** What a provisioner does in a step. */
export function tracedDeed<Result>(
  core: BrokerContext,
  provisioner: string,
  deed: OperationKind,
  work: (carrier: Carrier) => Promise<Result>,
): Promise<Result> {
  const tracing = tracingOf(core);
  const attributes = { 'purveyor.provisioner': provisioner };
  return tracing.within({ name: `${provisioner} ${deed}`, attributes }, () => work(tracing.carrier()));
}

function spanOf(doing: string, operation: Operation): Pick<SpanSubject, 'name' | 'attributes'> {
  const { id, kind, instanceId, bindingId, offeringId, planId, attempt } = operation;
  return {
    name: `${doing} ${kind}`,
    attributes: {
      'purveyor.operation.id': id,
      'purveyor.operation.kind': kind,
      'purveyor.operation.attempt': attempt,
      'purveyor.instance.id': instanceId,
      'purveyor.binding.id': bindingId,
      'purveyor.offering.id': offeringId,
      'purveyor.plan.id': planId,
    },
  };
}
