import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { codeOf } from '../system/error-code.ts';

const tracer = trace.getTracer('purveyor');

/** Shows a statement as part of what goes on. What nobody has asked for, such as the look for due work, is no trace. */
export function traced<Result>(statement: string, run: () => Promise<Result>): Promise<Result> {
  if (trace.getActiveSpan()?.isRecording() !== true) return run();
  const { operation, table } = summaryOf(statement);
  const summary = table === undefined ? operation : `${operation} ${table}`;
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    'db.collection.name': table,
    'db.query.summary': summary,
  };
  return tracer.startActiveSpan(summary, { kind: SpanKind.CLIENT, attributes }, (span) =>
    untilEnded(span, run),
  );
}

async function untilEnded<Result>(span: Span, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    // Its message may quote values.
    const code = codeOf(error);
    span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** What it does first to which table: a statement of ours is often a chain of parts. */
function summaryOf(statement: string): { readonly operation: string; readonly table?: string } {
  const [, write, written] = /\b(insert into|update|delete from)\s+(\w+)/.exec(statement) ?? [];
  if (write !== undefined) return { operation: write.split(' ', 1)[0]?.toUpperCase() ?? '', table: written };
  const [, table] = /\bfrom\s+([a-z_]\w*)/.exec(statement) ?? [];
  return { operation: 'SELECT', table };
}
