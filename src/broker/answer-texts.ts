import { isObject, type Json, type JsonObject } from './json.ts';
import { positionIn, TemplateError } from './template.ts';

/** Where in a value text is due: it is text itself, each of its items or members is, or some members are. */
export type TextForm =
  'text' | { readonly each: TextForm } | { readonly members: Readonly<Record<string, TextForm>> };

/** What a binding gives, as far as the specification fixes text (spec.md, Binding, Body; Volume Mount; Endpoint). */
export const bindingTexts = {
  syslogDrainUrl: 'text',
  routeServiceUrl: 'text',
  volumeMounts: {
    each: {
      members: {
        driver: 'text',
        container_dir: 'text',
        mode: 'text',
        device_type: 'text',
        device: { members: { volume_id: 'text' } },
      },
    },
  },
  endpoints: { each: { members: { host: 'text', ports: { each: 'text' }, protocol: 'text' } } },
} as const satisfies Readonly<Record<string, TextForm>>;

/** Platforms copy labels to where every value is text; attributes may be anything. */
export const metadataTexts = { members: { labels: { each: 'text' } } } as const satisfies TextForm;

/**
 * The value with numbers, true and false written as text where text is due; all else is left for others to judge.
 * A template of one expression keeps the type of what it finds, and ports are numbers.
 */
export function withTexts(value: Json, form: TextForm): Json {
  return written(value, form, '', (other) => other);
}

/** As `withTexts`. @throws TemplateError for a list, an object or null where text is due */
export function requireTexts(value: Json, form: TextForm): Json {
  return written(value, form, '', (_, at) => {
    throw new TemplateError(at, 'Text is due here, and the template comes to a list, an object or null.');
  });
}

type Otherwise = (value: Json, at: string) => Json;

function written(value: Json, form: TextForm, at: string, otherwise: Otherwise): Json {
  if (form === 'text') {
    if (typeof value === 'string') return value;
    return typeof value === 'object' ? otherwise(value, at) : String(value);
  }
  const inner = (item: Json, key: string | number) => {
    const own = formOf(form, key);
    return own === undefined ? item : written(item, own, positionIn(at, key), otherwise);
  };
  if (Array.isArray(value)) return value.map((item: Json, index) => inner(item, index));
  return isObject(value) ? mapMembers(value, inner) : value;
}

function formOf(form: Exclude<TextForm, 'text'>, key: string | number): TextForm | undefined {
  if ('each' in form) return form.each;
  return Object.hasOwn(form.members, key) ? form.members[key] : undefined;
}

function mapMembers(value: JsonObject, change: (item: Json, key: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
}
