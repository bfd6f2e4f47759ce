import { createRequire } from 'node:module';
import type { Ajv, AnySchemaObject, ErrorObject, Options, ValidateFunction } from 'ajv';
import type { Ajv2019 } from 'ajv/dist/2019.js';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import type AjvDraft04 from 'ajv-draft-04';
import { canonicalJson, type Json, type JsonObject } from '../../broker/json.ts';
import { boundedFormats } from './bounded.ts';
import { patternOf } from './pattern.ts';
import { withoutNames, withoutStrayNames } from './stray-names.ts';

const require = createRequire(import.meta.url);

/** One edition of JSON Schema. */
export interface Draft {
  readonly name: string;
  /** A validator for one schema alone: a name (`$id`) that two schemas share would clash. */
  validator(options?: { readonly allErrors?: boolean }): Validator;
  /** Where the schema breaks the draft's own rules. */
  errorsOf(schema: JsonObject): readonly ErrorObject[];
}

export interface Validator {
  /** @throws what ajv has against the schema */
  compile(schema: JsonObject): ValidateFunction;
}

/**
 * The draft that a `$schema` names, with http or https, with or without the # at its end. Those before draft 04,
 * and the name of no draft, are read as draft 04, as Cloud Controller holds every schema against that.
 */
export function findDraft(dialect: string): Draft | undefined {
  const [, name] = /^https?:\/\/json-schema\.org\/(?:(.*)\/)?schema#?$/.exec(dialect) ?? [dialect, dialect];
  if (name === undefined || /^draft-0[123]$/.test(name)) return draft04;
  return drafts.find((draft) => draft.name === name);
}

/** The one that every platform understands. */
export const draft04 = draft('draft-04', 'ajv-draft-04');

/** Loads what nearly every schema is compiled by, for which the first parameters would wait. */
export function loadValidator(): void {
  require('ajv-draft-04');
}

const drafts: readonly Draft[] = [
  draft04,
  draft('draft-06', 'ajv', 'ajv/dist/refs/json-schema-draft-06.json'),
  draft('draft-07', 'ajv'),
  draft('draft/2019-09', 'ajv/dist/2019.js'),
  draft('draft/2020-12', 'ajv/dist/2020.js'),
];

export const draftNames: readonly string[] = drafts.map(({ name }) => name);

type Engine = new (options: Options) => Ajv | Ajv2019 | Ajv2020 | AjvDraft04.default;

/** @param module with the validator of the draft, loaded when it is asked for: a catalog speaks one draft or two */
function draft(name: string, module: string, metaSchema?: string): Draft {
  const host = name.includes('/') ? 'https' : 'http';
  const engine = (options: Options) => new (require(module) as { default: Engine }).default(options);
  let rules: InstanceType<Engine> | undefined;
  return {
    name,
    validator: (options = {}) =>
      tolerant(() => withLinearUniqueItems(engine({ ...validatorOptions, ...options })), name),
    errorsOf(schema) {
      rules ??= rulesOf(engine(rulesOptions), metaSchema);
      rules.validate(`${host}://json-schema.org/${name}/schema`, schema);
      return rules.errors ?? [];
    },
  };
}

/** What a draft knows as the name of a schema. */
function namesOf(draftName: string): readonly string[] {
  if (draftName === 'draft-04') return ['id'];
  return draftName.includes('/') ? ['$id', '$anchor', '$dynamicAnchor'] : ['$id'];
}

/** Names decide only what a reference means; two of a kind, or ones that cannot be read, are no reason to refuse. */
function tolerant(validator: () => Validator, draftName: string): Validator {
  return {
    compile(schema) {
      const named = withoutStrayNames(schema, namesOf(draftName));
      const nameless = withoutNames(named);
      try {
        return validator().compile(named);
      } catch (error) {
        if (nameless === named) throw error;
        return validator().compile(nameless);
      }
    },
  };
}

/** Ajv's second look at the code that it has written takes a third of the time and finds little. */
const quickly: Options['code'] = { optimize: false };

/** The schema was held against its draft's rules before, so unknown keywords are no concern here. */
const validatorOptions: Options = {
  strict: false,
  strictNumbers: true,
  ownProperties: true,
  verbose: true,
  logger: false,
  meta: false,
  validateSchema: false,
  formats: boundedFormats(),
  code: { ...quickly, regExp: Object.assign(patternOf, { code: 'patternOf' }) },
};

const rulesOptions: Options = { strict: false, allErrors: true, verbose: true, logger: false, code: quickly };

function rulesOf(validator: InstanceType<Engine>, metaSchema: string | undefined): InstanceType<Engine> {
  if (metaSchema === undefined) return validator;
  return validator.addMetaSchema(require(metaSchema) as AnySchemaObject);
}

/** Ajv compares each pair of items, which takes hours for a list of a few megabytes. */
function withLinearUniqueItems(validator: InstanceType<Engine>): Validator {
  return validator.removeKeyword('uniqueItems').addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (on: boolean, items: readonly Json[]) =>
      !on || new Set(items.map((item) => canonicalJson(item))).size === items.length,
  });
}
