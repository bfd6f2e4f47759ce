import { body, list, maybe, named, object, text, whole, type ValueOf } from './shape.ts';

const word = text(undefined, { minLength: 1, maxLength: 1000, format: 'text' });

export const actionBody = body({
  units: maybe(list(word, 'By name; absent: all of them.', { minItems: 1, maxItems: 1000 })),
});
export type ActionBody = ValueOf<typeof actionBody>;

export const emptyBody = body({});

export const execBody = body({
  command: list(text(undefined, { maxLength: 100_000, format: 'text' }), 'The program and its arguments.', {
    minItems: 1,
    maxItems: 1000,
  }),
  unit: maybe(word),
  timeout: maybe(whole('Milliseconds; absent: 30,000.', { minimum: 1, maximum: 240_000 })),
});
export type ExecBody = ValueOf<typeof execBody>;

export const orphanBody = body({ provisioner: word, node: maybe(word), name: word });
export type OrphanBody = ValueOf<typeof orphanBody>;

export const execAnswer = named(
  'Executed',
  object({
    results: list(
      object({
        unit: text(),
        code: whole('Its exit code; -1 when it was ended by a signal or at its time limit.'),
        output: text('What it wrote, standard output and error as they came, cut at 64 kB.'),
      }),
    ),
  }),
);
export type ExecAnswer = ValueOf<typeof execAnswer>;

export const logAnswer = named('Log', object({ units: list(object({ unit: text(), text: text() })) }));
export type LogAnswer = ValueOf<typeof logAnswer>;
