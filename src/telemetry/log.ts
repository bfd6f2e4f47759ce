import { createLogger, format, transports } from 'winston';
import type { BrokerEvent, ByEvent, OperationSummary } from '../broker/events.ts';
import type { CoreConfig } from '../config/config.ts';
import type { AccessEntry } from '../http/access-log.ts';
import { conceal, type Redact } from '../config/secret-values.ts';
import { lineOutput } from '../system/output.ts';
import { bufferedOutput, doLater } from './buffered-output.ts';
import { commandFields, webhookLine } from './command-fields.ts';
import { jsonLine, lineNow, textLine, type LogFields, type Line } from './log-lines.ts';
import { requestLines, type RequestLines } from './request-lines.ts';

export type Level = CoreConfig['logLevel'];

export interface Log {
  /** A plain note. Of secrets only those are hidden that the log knows. */
  note(level: Level, message: string, fields?: LogFields): void;
  event(event: BrokerEvent): void;
  /** Lines for people, as they are. */
  show(text: string): void;
  access(access: AccessEntry): void;
  /** From now on these are shown in no line. */
  readonly hide: (secrets: Iterable<string>) => void;
  /** A text as it may be shown: without the secrets that the log knows. */
  readonly redact: Redact;
}

const rank: Record<Level, number> = { error: 0, warn: 1, info: 2, debug: 3 };

/**
 * Writes what it is told of, one line each: text for people, or one JSON object. On a terminal text is broken to fit it.
 * A file that cannot be written, since its disk is full, is told how many lines it lacks when there is room again, and
 * so is a pipe whose reader was far behind.
 * @param output by default the process's own output.
 * @param holdMs milliseconds that lines may be held back, to be written together: a request and the operation that it
 * was for then share a line when both are told within them. What is a warning or worse is written at once, and nothing
 * stays behind when the process ends by itself. 0 by default: each line is written as it is told.
 */
export function createLog(
  {
    logLevel,
    logFormat,
    secrets = [],
  }: Pick<CoreConfig, 'logLevel' | 'logFormat'> & { readonly secrets?: Iterable<string> },
  output: NodeJS.WritableStream = process.stdout,
  holdMs = 0,
): Log {
  const { redact, hide } = conceal(secrets);
  const direct = lineOutput(output, (lost) => `${lineOf(lossOf(lost))}\n`);
  const later = holdMs > 0 ? doLater(holdMs, flush) : undefined;
  const buffer = later && bufferedOutput(direct, later.soon);
  const stream = buffer?.stream ?? direct;
  const logger = createLogger({
    levels: rank,
    level: logLevel,
    format: format.printf((info) => lineOf(info['line'] as Line)),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  // Whoever reads the output may have gone.
  logger.on('error', () => undefined);
  const lines = requestLines(write, worse, later?.soon ?? flush);

  function flush(): void {
    lines.flush();
    buffer?.flush();
  }
  function write(line: Line): void {
    logger.log({ level: line.level, message: line.message, line });
    if (line.level === 'error' || line.level === 'warn') buffer?.flush();
  }
  function lineOf(given: Line): string {
    const line = redacted(given, redact);
    return logFormat === 'json' ? jsonLine(line) : textLine(line, widthOf(output));
  }
  function show(text: string): void {
    lines.flush();
    stream.write(text);
  }
  return { ...subscribers(lines, logLevel), show, hide, redact };
}

function worse(one: string, other: string): string {
  return rank[one as Level] < rank[other as Level] ? one : other;
}

function lossOf(lines: number): Line {
  return {
    time: new Date(),
    level: 'error',
    message: 'lines of the log could not be written',
    fields: { lines },
  };
}

/** Undefined where nobody looks, and where the terminal does not know. */
function widthOf(output: NodeJS.WritableStream): number | undefined {
  const { isTTY, columns } = output as Partial<NodeJS.WriteStream>;
  return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined;
}

function redacted({ fields, message, ...rest }: Line, redact: Redact): Line {
  const shown = Object.entries(fields).map(([name, value]) => [name, inEach(value, redact)] as const);
  return { ...rest, message: redact(message), fields: Object.fromEntries(shown) };
}

function inEach(value: LogFields[string], redact: Redact): LogFields[string] {
  if (typeof value === 'string') return redact(value);
  return Array.isArray(value) ? value.map((one: string) => redact(one)) : value;
}

function subscribers(lines: RequestLines, least: Level): Omit<Log, 'show' | 'hide' | 'redact'> {
  // Asked first, so that lines nobody wants cost nothing.
  const isWanted = (level: Level) => rank[level] <= rank[least];
  return {
    note(level, message, fields = {}) {
      if (isWanted(level)) lines.put(lineNow({ level, message, fields }));
    },
    access(access) {
      const level = accessLevel(access);
      if (!isWanted(level)) return;
      const fields = { ...access, ms: Math.round(access.ms * 10) / 10 };
      const line = lineNow({ level, message: 'request', fields });
      if (access.method === 'GET') lines.put(line);
      else lines.request(line, access.requestId);
    },
    event(event) {
      const described = describe(event);
      if (!isWanted(described.level)) return;
      const line = lineNow(described);
      const asked = described.level === 'debug' ? undefined : requestOf(event);
      if (asked) lines.operation(line, asked.requestId);
      else lines.put(line);
    },
  };
}

/** Of what its request may tell in the same line. */
function requestOf(event: BrokerEvent): OperationSummary['origin'] | undefined {
  const { type } = event;
  return type === 'operation-opened' || type === 'operation-settled' ? event.operation.origin : undefined;
}

const readinessRoute = '/readyz';

/** Reads that succeed are many and tell little. */
function accessLevel({ method, status, route }: AccessEntry): Level {
  // A probe is asked so often because the answer may be no; what is wrong is told by itself.
  if (status === 503 && route === readinessRoute) return 'debug';
  if (status >= 500) return 'error';
  // Deleting once more what is gone is no mistake.
  if (status >= 400 && status !== 410) return 'warn';
  return method === 'GET' ? 'debug' : 'info';
}

interface Description {
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields;
}

/** The one table of what the log says of an event. */
const descriptions: ByEvent<Description> = {
  // What was done as it was opened is told by its end.
  'operation-opened': ({ operation }) =>
    line(operation.state === 'in progress' ? 'info' : 'debug', 'operation opened', operation),
  'operation-claimed': ({ operation }) => line('debug', 'operation claimed', operation),
  'operation-cancelled': ({ operation, by }) => line('info', 'operation cancelled', operation, { by }),
  'operation-lost': ({ operation }) => line('warn', 'operation lost to another broker', operation),
  'operation-settled': ({ operation, ms }) => settled(operation, ms),
  'step-failed': ({ operation, detail, retryMs }) =>
    line('warn', retryMs === undefined ? 'step failed' : 'step failed, will be tried again', operation, {
      detail,
      retryMs,
    }),
  'undo-started': ({ operation, detail }) =>
    line('warn', 'operation failed, undoing it', operation, { detail }),
  'command-ended': commandEnded,
  'binding-expired': ({ instanceId, bindingId }) => ({
    level: 'info',
    message: 'binding expired',
    fields: { instanceId, bindingId },
  }),
  'unit-changed': ({ instanceId, unit, from, to, reason }) => ({
    level: to === 'down' || to === 'error' || to === 'unreachable' ? 'warn' : 'info',
    message: `unit ${to}`,
    fields: { instanceId, unit, from, reason },
  }),
  'limit-near': ({ instanceId, unit, reason }) => ({
    level: 'warn',
    message: 'unit near its limit',
    fields: { instanceId, unit, reason },
  }),
  'left-alone': ({ instanceId, unit, restarts }) => ({
    level: 'error',
    message: 'unit failed again, left alone',
    fields: { instanceId, unit, restarts },
  }),
  'upgrades-changed': ({ run, state, reason, counts: { succeeded, failed, skipped } }) => ({
    level: state === 'succeeded' || state === 'cancelled' ? 'info' : 'warn',
    message: `upgrades ${state}`,
    fields: { run, reason, succeeded, failed, skipped },
  }),
  'webhook-tried': webhookLine,
  'orphan-suspected': ({ name, provisioner, node }) => ({
    level: 'warn',
    message: 'found what no instance stands for',
    fields: { name, provisioner, node },
  }),
  'orphan-removed': ({ name, provisioner, node }) => ({
    level: 'info',
    message: 'removed what no instance stands for',
    fields: { name, provisioner, node },
  }),
  unreadable: ({ table, ids, detail }) => ({
    level: 'error',
    message: 'record cannot be read, passed over',
    fields: { table, id: ids.join('/'), detail },
  }),
  trouble: ({ doing, detail }) => ({ level: 'error', message: 'trouble', fields: { doing, detail } }),
};

function describe(event: BrokerEvent): Description {
  // Each row takes the events of its own type.
  return (descriptions[event.type] as (event: BrokerEvent) => Description)(event);
}

function commandEnded({
  command,
  origin: { protocol, principal, requestId },
  ms,
  failure,
}: Extract<BrokerEvent, { type: 'command-ended' }>): Description {
  const said = { ...commandFields(command), protocol, principal, requestId, ms };
  if (!failure) return { level: 'info', message: 'command succeeded', fields: said };
  const { word, sentence } = failure;
  return { level: 'warn', message: 'command failed', fields: { ...said, failure: word, sentence } };
}

function settled(operation: OperationSummary, ms: number): Description {
  const { failure } = operation;
  if (!failure) return line('info', 'operation succeeded', operation, { ms });
  const { word, sentence, detail } = failure;
  return line('warn', 'operation failed', operation, { ms, failure: word, sentence, detail });
}

function line(level: Level, message: string, operation: OperationSummary, more: LogFields = {}): Description {
  const { id, kind, action, instanceId, bindingId, offeringId, planId, attempt, origin } = operation;
  const who = { instanceId, bindingId, offeringId, planId, attempt, requestId: origin.requestId };
  return { level, message, fields: { operation: id, kind, action, ...who, ...more } };
}
