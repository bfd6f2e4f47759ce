/** What goes on as spans of OpenTelemetry: nothing is done for it as long as nobody has registered an SDK. */
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { OpenSpan, SpanSubject, Tracing } from '../broker/context.ts';
import { type AccessEntry, shownPath, type TraceRequest } from '../http/access-log.ts';

/** @param version of this program */
export function createTracing(version: string): Tracing & { readonly request: TraceRequest } {
  const tracer = trace.getTracer('purveyor', version);

  function begin({ name, attributes, follows }: SpanSubject, kind: SpanKind) {
    const parent = follows ? propagation.extract(ROOT_CONTEXT, follows) : context.active();
    const span = tracer.startSpan(name, { kind, attributes: bounded(attributes) }, parent);
    return { span, inside: trace.setSpan(parent, span) };
  }

  return {
    within(subject, work) {
      if (!isRegistered()) return work(unseen);
      const { span, inside } = begin(subject, subject.opens ? SpanKind.PRODUCER : SpanKind.INTERNAL);
      return context.with(inside, () => untilEnded(span, work));
    },
    carrier,
    request({ method, route, path, headers }) {
      if (!isRegistered()) return undefined;
      const name = route === undefined ? method : `${method} ${route}`;
      const attributes = {
        'http.request.method': method,
        'http.route': route,
        'url.path': shownPath(path),
      };
      const { span, inside } = begin({ name, attributes, follows: callerOf(headers) }, SpanKind.SERVER);
      return {
        within: (work) => context.with(inside, work),
        end: (entry) => endRequest(span, entry),
      };
    },
  };
}

/** Of what goes on here now; undefined: nobody looks, or it is a part of no trace. */
export function presentTraceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}

let registered = false;

/** Is there an SDK? It may come later than this, and stays. */
function isRegistered(): boolean {
  if (registered) return true;
  const provider = trace.getTracerProvider();
  registered =
    !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer('purveyor') !== undefined;
  return registered;
}

const unseen: OpenSpan = { add: () => undefined, fail: () => undefined };

async function untilEnded<Result>(span: Span, work: (span: OpenSpan) => Promise<Result>): Promise<Result> {
  try {
    return await work({
      add: (attributes) => void span.setAttributes(bounded(attributes)),
      fail: (word) => fail(span, word),
    });
  } catch (error) {
    // Its message may hold anything.
    fail(span, error instanceof Error ? error.name : 'Error');
    throw error;
  } finally {
    span.end();
  }
}

function fail(span: Span, word: string): void {
  span.setAttribute('error.type', word).setStatus({ code: SpanStatusCode.ERROR });
}

function endRequest(span: Span, { status, protocol, requestId, principal }: AccessEntry): void {
  if (!span.isRecording()) return;
  span.setAttributes(
    bounded({
      'http.response.status_code': status,
      'purveyor.protocol': protocol,
      'purveyor.request.id': requestId,
      'purveyor.principal': principal,
    }),
  );
  // A refusal is no failure of the server.
  if (status >= 500) fail(span, String(status));
  span.end();
}

/** Where something that is loaded beside us has read the headers already, its span is the one that goes on here. */
function callerOf({
  traceparent,
  tracestate,
}: Parameters<TraceRequest>[0]['headers']): SpanSubject['follows'] {
  if (typeof traceparent !== 'string' || trace.getActiveSpan()) return undefined;
  return typeof tracestate === 'string' ? { traceparent, tracestate } : { traceparent };
}

const longestState = 512;

/** As W3C Trace Context has it; a longer state than it asks to be passed on is left out. */
function carrier(): Record<string, string> | undefined {
  if (!isRegistered()) return undefined;
  const inside: Context = context.active();
  if (!trace.getSpan(inside)) return undefined;
  const filled: Record<string, string> = {};
  propagation.inject(inside, filled);
  const { traceparent, tracestate } = filled;
  if (traceparent === undefined) return undefined;
  return tracestate !== undefined && tracestate.length <= longestState
    ? { traceparent, tracestate }
    : { traceparent };
}

const longestValue = 128;

/** Ids are as long as their platform likes. */
function bounded(attributes: SpanSubject['attributes']): Attributes {
  const entries = Object.entries(attributes).map(([name, value]) => [
    name,
    typeof value === 'string' && value.length > longestValue && name !== 'url.path'
      ? `${value.slice(0, longestValue)}...`
      : value,
  ]);
  return Object.fromEntries(entries) as Attributes;
}
