import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { bindingTexts, metadataTexts, type TextForm, withTexts } from '../../broker/answer-texts.ts';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { PerPlan, PlanView } from '../form/offering-file.ts';
import type { Finding } from '../problem.ts';
import { offeringSchema } from '../form/schema.ts';
import type { NeededTypes } from './after-rendering.ts';
import { findingsAfterRendering } from './judge-rendered.ts';

/**
 * Holds what platforms are answered against the form that it has in the file, as it will be once it is filled:
 * numbers are written as text where text is due, and a list, an object or null cannot be.
 */
export function answerFindings(view: PlanView, neededTypes?: NeededTypes): readonly Finding[] {
  return Object.entries(forms).flatMap(([name, texts]) => {
    const word = name as keyof typeof forms;
    const template = view.words[word] as Json | undefined;
    if (template === undefined) return [];
    const setting = { at: view.placeOf(word), template, writesText: true };
    return findingsAfterRendering(
      setting,
      view,
      (value) => errorsOf(word, withTexts(value, texts)),
      neededTypes,
    );
  });
}

const forms = {
  dashboard: 'text',
  syslog_drain_url: bindingTexts.syslogDrainUrl,
  route_service_url: bindingTexts.routeServiceUrl,
  volume_mounts: bindingTexts.volumeMounts,
  endpoints: bindingTexts.endpoints,
  instance_metadata: metadataTexts,
} as const satisfies Readonly<Partial<Record<keyof PerPlan, TextForm>>>;

const validators = new Map<string, ValidateFunction>();

function errorsOf(word: keyof typeof forms, value: Json): readonly ErrorObject[] {
  const { properties }: JsonObject = offeringSchema;
  const schema = (properties as JsonObject)[word] as JsonObject;
  const validate =
    validators.get(word) ?? new Ajv({ strict: false, allErrors: true, verbose: true }).compile(schema);
  validators.set(word, validate);
  validate(value);
  return validate.errors ?? [];
}
