import { type JsonObject, jsonOf } from '../../broker/json.ts';

/**
 * What `config:` of a process offering may say. `fills` has the texts that may hold templates.
 *
 * - `needs`: executables that a node must have.
 * - `ports`: names; each instance gets a number for each, `{{ports.<name>}}`.
 * - `files`: written below `{{dir.conf}}`, by their path there: the text, or `content` with a `mode`; with `keep` it is
 *   written once, and from then on the program's own; `tls` follows the content where the plan has TLS, `plain` where not.
 * - `processes`: the units, by their names.
 * - `bind`, `unbind`: what is said to a port for each binding, one connection after another.
 */
export const configSchema: JsonObject = closed(
  {
    needs: { type: 'array', items: named('the name of an executable', '^[^/\\s]+$'), uniqueItems: true },
    ports: { type: 'array', items: { $ref: '#/definitions/name' }, uniqueItems: true },
    files: {
      type: 'object',
      // A path that stays below the directory: no part of it is empty, `.` or `..`.
      propertyNames: named(
        'a path below {{dir.conf}}',
        '^(?!\\.{1,2}(?:/|$))[^/]+(?:/(?!\\.{1,2}(?:/|$))[^/]+)*$',
      ),
      additionalProperties: { $ref: '#/definitions/file' },
    },
    processes: {
      type: 'object',
      minProperties: 1,
      propertyNames: { $ref: '#/definitions/name' },
      additionalProperties: { $ref: '#/definitions/process' },
    },
    bind: { $ref: '#/definitions/exchanges' },
    unbind: { $ref: '#/definitions/exchanges' },
  },
  ['processes'],
  {
    name: named('letters, digits, _ and -, no digit first', '^[A-Za-z_][A-Za-z0-9_-]*$'),
    word: {
      title: 'a text, number or boolean',
      anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }],
    },
    words: { type: 'object', additionalProperties: { $ref: '#/definitions/word' } },
    command: { type: 'array', items: { $ref: '#/definitions/word' }, minItems: 1 },
    file: {
      title: 'the text of the file, or its content with a mode or what becomes of it',
      anyOf: [
        { type: 'string' },
        closed(
          {
            content: { type: 'string' },
            mode: named('as in "0600"', '^0?[0-7]{3}$'),
            /** Written once: from then on it is the program's own. */
            keep: { type: 'boolean', default: false },
            /** What follows it where the plan has TLS, and where it has none. */
            tls: { type: 'string' },
            plain: { type: 'string' },
          },
          ['content'],
        ),
      ],
    },
    process: closed(
      {
        run: { $ref: '#/definitions/command' },
        /** Smaller first; what has the same number starts together. */
        order: { type: 'integer', default: 1 },
        env: { $ref: '#/definitions/words' },
        cwd: { type: 'string', enum: ['base', 'conf', 'data', 'log', 'run'], default: 'data' },
        ready: { $ref: '#/definitions/ready' },
        stop: closed({
          signal: {
            type: 'string',
            enum: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'],
            default: 'SIGTERM',
          },
        }),
        /** What makes it read a new certificate. */
        renewal: { $ref: '#/definitions/renewal' },
        /** A file below `{{dir.log}}`, of a program that writes its own. */
        log: named('the name of a file below {{dir.log}}', '^(?!\\.{1,2}$)[^/]+$'),
      },
      ['run'],
    ),
    ready: {
      ...closed({
        port: { $ref: '#/definitions/name' },
        send: { type: 'string' },
        expect: { type: 'string', minLength: 1 },
        http: named('a path such as /health', '^/'),
        status: { type: 'integer', minimum: 100, maximum: 599, default: 200 },
        headers: { $ref: '#/definitions/words' },
        tls: { $ref: '#/definitions/tls' },
        command: { $ref: '#/definitions/command' },
      }),
      title: 'a port (with send and expect, or with http), or a command',
      oneOf: [{ required: ['port'] }, { required: ['command'] }],
      dependencies: {
        send: ['port', 'expect'],
        expect: { required: ['port'], not: { required: ['http'] } },
        // HTTP has no greeting.
        http: { required: ['port'], properties: { tls: { type: 'boolean' } } },
        status: ['http'],
        headers: ['http'],
      },
    },
    renewal: {
      title: 'restart, none, a signal, or what is said to a port',
      default: 'restart',
      anyOf: [
        { type: 'string', enum: ['restart', 'none', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] },
        { $ref: '#/definitions/exchange' },
      ],
    },
    exchange: closed(
      {
        port: { $ref: '#/definitions/name' },
        send: { type: 'string', minLength: 1 },
        expect: { type: 'string', minLength: 1 },
        tls: { $ref: '#/definitions/tls' },
      },
      ['port', 'send', 'expect'],
    ),
    tls: {
      title: 'true, false, or what is said in the clear before TLS begins',
      default: true,
      anyOf: [
        { type: 'boolean' },
        closed({ send: { type: 'string', minLength: 1 }, expect: { type: 'string', minLength: 1 } }, [
          'expect',
        ]),
      ],
    },
    exchanges: {
      type: 'array',
      items: { $ref: '#/definitions/exchange' },
      minItems: 1,
    },
  },
);

/** Where templates are filled; what gives an offering its shape is the same for all instances. */
export const fills = {
  needs: 'value',
  'needs.*': 'text',
  'files.*': 'text',
  'files.*.content': 'text',
  'files.*.tls': 'text',
  'files.*.plain': 'text',
  'processes.*.run.*': 'text',
  'processes.*.env.*': 'text',
  'processes.*.ready.send': 'text',
  'processes.*.ready.expect': 'text',
  'processes.*.ready.tls.send': 'text',
  'processes.*.ready.tls.expect': 'text',
  'processes.*.ready.http': 'text',
  'processes.*.ready.status': 'text',
  'processes.*.ready.headers.*': 'text',
  'processes.*.ready.command.*': 'text',
  'processes.*.renewal.send': 'text',
  'processes.*.renewal.expect': 'text',
  'processes.*.renewal.tls.send': 'text',
  'processes.*.renewal.tls.expect': 'text',
  'bind.*.send': 'text',
  'bind.*.expect': 'text',
  'bind.*.tls.send': 'text',
  'bind.*.tls.expect': 'text',
  'unbind.*.send': 'text',
  'unbind.*.expect': 'text',
  'unbind.*.tls.send': 'text',
  'unbind.*.tls.expect': 'text',
} as const;

function closed(
  properties: JsonObject,
  required: readonly string[] = [],
  definitions?: JsonObject,
): JsonObject {
  return jsonOf({
    type: 'object',
    additionalProperties: false,
    properties,
    required: required.length > 0 ? required : undefined,
    definitions,
  });
}

function named(title: string, pattern: string): JsonObject {
  return { type: 'string', pattern, title };
}
