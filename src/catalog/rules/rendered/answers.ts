import { bindingTexts, metadataTexts, type TextForm, withTexts } from '../../../broker/template-values.ts';
import type { Json, JsonObject } from '../../../broker/json.ts';
import type { PerPlan, PlanView } from '../../form/offering-file.ts';
import type { Finding } from '../../problem.ts';
import { ownSchema } from '../../own-schema.ts';
import { offeringSchema } from '../../form/schema.ts';
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
      (value) => judges.get(word)?.(withTexts(value, texts)) ?? [],
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

const { properties }: JsonObject = offeringSchema;

const judges = new Map(
  Object.keys(forms).map((word) => [word, ownSchema((properties as JsonObject)[word] as JsonObject)]),
);
