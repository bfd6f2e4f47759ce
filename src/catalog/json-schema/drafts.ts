import { createRequire } from 'node:module';
import { Ajv, type AnySchemaObject, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvDraft04 from 'ajv-draft-04';
import { canonicalJson, type Json, type JsonObject } from '../../broker/json.ts';
import { boundedFormats } from './bounded.ts';
import { patternOf } from './pattern.ts';
import { withoutNames, withoutStrayNames } from './stray-names.ts';

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
export const draft04 = draft('draft-04', ajvDraft04.default);

const drafts: readonly Draft[] = [
  draft04,
  draft('draft-06', Ajv, 'ajv/dist/refs/json-schema-draft-06.json'),
  draft('draft-07', Ajv),
  draft('draft/2019-09', Ajv2019),
  draft('draft/2020-12', Ajv2020),
];

export const draftNames: readonly string[] = drafts.map(({ name }) => name);

type Engine = new (options: Options) => Ajv | Ajv2019 | Ajv2020 | InstanceType<typeof ajvDraft04.default>;

function draft(name: string, Validator: Engine, metaSchema?: string): Draft {
  const host = name.includes('/') ? 'https' : 'http';
  let rules: InstanceType<Engine> | undefined;
  return {
    name,
    validator: (options = {}) =>
      tolerant(() => withLinearUniqueItems(new Validator({ ...validatorOptions, ...options })), name),
    errorsOf(schema) {
      rules ??= rulesOf(new Validator(rulesOptions), metaSchema);
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
  code: { regExp: Object.assign(patternOf, { code: 'patternOf' }) },
};

const rulesOptions: Options = { strict: false, allErrors: true, verbose: true, logger: false };

function rulesOf(validator: InstanceType<Engine>, metaSchema: string | undefined): InstanceType<Engine> {
  if (metaSchema === undefined) return validator;
  const require = createRequire(import.meta.url);
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
