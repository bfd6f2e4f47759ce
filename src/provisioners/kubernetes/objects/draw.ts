import { createHash } from 'node:crypto';
import {
  canonicalJson,
  isObject,
  type Json,
  type JsonObject,
  jsonOf,
  memberOf,
  stringsIn,
} from '../../../broker/json.ts';
import type { ClusterObject } from '../cluster.ts';
import { type ClusterContext, filling, type MadeObjects } from '../context.ts';
import { type ObjectTemplate, orderOf } from '../form/config.ts';
import { applySetId, partOfLabel } from '../rules/apply-set.ts';
import type { Declared } from '../rules/verdict.ts';
import { parentOf } from './parent.ts';
import { asTexts, fillObject, merged } from './fill.ts';
import {
  bindingLabel,
  checksumAnnotation,
  idAnnotation,
  keepAnnotation,
  labelsOf,
  nameOf,
  objectLabel,
  waveAnnotation,
} from './labels.ts';
import { plainText } from './plain-text.ts';

/** An object as it is to be, with all templates filled. Holds secrets. */
export interface DrawnObject {
  /** In the offering file. */
  readonly name: string;
  readonly wave: number;
  readonly template: ObjectTemplate;
  readonly object: ClusterObject;
  readonly declared: Declared;
}

export interface Drawing {
  readonly templates: Readonly<Record<string, ObjectTemplate>>;
  /** Those that are there already, for templates that mention them. */
  readonly made: MadeObjects;
  /** Of the binding that they are for. */
  readonly binding?: string;
  /** Which of them are at rest; absent: none. */
  readonly isStopped?: (name: string) => boolean;
}

/** Of what is known of an instance, what its objects are drawn from. */
export type DrawContext = Pick<ClusterContext, 'place' | 'isOwn' | 'key' | 'installation' | 'roots'> & {
  readonly work: { readonly instance: { readonly id: string } };
};

/** The objects of the waves up to this one. @throws Failure when a template cannot be filled */
export function drawUpTo(context: DrawContext, drawing: Drawing, wave: number): readonly DrawnObject[] {
  const drawn = orderOf(drawing.templates)
    .slice(0, wave + 1)
    .flatMap((names, index) => names.map((name) => drawOne(context, drawing, name, index)));
  return drawn.map((one) => withChecksum(one, drawn));
}

/** All of them; those that mention others need these to be made. */
export function drawAll(context: DrawContext, drawing: Drawing): readonly DrawnObject[] {
  return drawUpTo(context, drawing, Object.keys(drawing.templates).length);
}

function drawOne(context: DrawContext, drawing: Drawing, name: string, wave: number): DrawnObject {
  const { templates, made, binding, isStopped = () => false } = drawing;
  const template = templates[name] as ObjectTemplate;
  const roots = { ...context.roots, objects: made as unknown as Json };
  const at = binding === undefined ? `config.objects.${name}` : `config.bind.objects.${name}`;
  return filling(() => {
    const declared = fillObject(jsonOf({ ready: template.ready, failed: template.failed }), roots, at);
    const filled = fillObject(template.object, roots, at);
    const stop = isStopped(name) ? template.stop : undefined;
    const object = stop === undefined ? filled : (merged(filled, fillObject(stop, roots, at)) as JsonObject);
    const own = { [objectLabel]: name, ...(binding !== undefined && { [bindingLabel]: binding }) };
    const labels = { ...labelsOf(context), ...own };
    const marked = withMetadata(context, withTexts(withOwnPods(object, labels)), labels, {
      [waveAnnotation]: String(wave),
      [idAnnotation]: context.work.instance.id,
      ...(template.keep && { [keepAnnotation]: 'true' }),
    });
    return { name, wave, template, object: marked, declared: declared as Declared };
  });
}

function withMetadata(
  context: DrawContext,
  object: JsonObject,
  labels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
): ClusterObject {
  const metadata = memberOf(object, 'metadata');
  const { namespace } = context.place;
  return {
    ...object,
    apiVersion: plainText(object['apiVersion']),
    kind: plainText(object['kind']),
    metadata: {
      ...metadata,
      name: plainText(metadata['name']),
      namespace,
      labels: {
        ...asTexts(memberOf(metadata, 'labels')),
        ...labels,
        [partOfLabel]: applySetId(parentOf(context)),
      },
      annotations: { ...asTexts(memberOf(metadata, 'annotations')), ...annotations },
    },
  };
}

/** By their labels the pods and claims of an object are found. */
function withOwnPods(object: JsonObject, labels: Readonly<Record<string, string>>): JsonObject {
  const spec = memberOf(object, 'spec');
  const { template, volumeClaimTemplates } = spec;
  if (!isObject(template) || !isObject(template['spec'])) return object;
  const claims = Array.isArray(volumeClaimTemplates)
    ? (volumeClaimTemplates as readonly Json[]).map((claim) =>
        isObject(claim) ? labelled(claim, labels) : claim,
      )
    : undefined;
  const own = jsonOf({ template: labelled(template, labels), volumeClaimTemplates: claims });
  return { ...object, spec: { ...spec, ...own } };
}

function labelled(object: JsonObject, labels: Readonly<Record<string, string>>): JsonObject {
  const metadata = memberOf(object, 'metadata');
  const all = { ...asTexts(memberOf(metadata, 'labels')), ...labels };
  return { ...object, metadata: { ...metadata, labels: all } };
}

/** What Secrets and ConfigMaps hold is text. A key that `stringData` leaves out would stay: one of `data` goes. */
function withTexts(object: JsonObject): JsonObject {
  const { kind, apiVersion, stringData, ...rest } = object;
  if (apiVersion !== 'v1' || (kind !== 'Secret' && kind !== 'ConfigMap')) return object;
  const given = isObject(stringData) ? stringData : {};
  const encoded = Object.entries(asTexts(given)).map(([name, text]) => {
    return [name, Buffer.from(plainText(text), 'utf8').toString('base64')] as const;
  });
  const data = { ...asTexts(memberOf(rest, 'data')), ...Object.fromEntries(encoded) };
  return { ...rest, apiVersion, kind, data };
}

/** A pod does not see by itself that what it was started with has changed: what its template mentions is in it too. */
function withChecksum(drawn: DrawnObject, all: readonly DrawnObject[]): DrawnObject {
  const { object } = drawn;
  const spec = memberOf(object, 'spec');
  const { template } = spec;
  if (!isObject(template) || !isObject(template['spec'])) return drawn;
  const texts = new Set(stringsIn(template['spec']));
  const used = all
    .filter(({ object: { kind } }) => kind === 'Secret' || kind === 'ConfigMap')
    .filter((one) => texts.has(nameOf(one.object)))
    .map((one) => [one.object.kind, nameOf(one.object), one.object['data'] ?? null]);
  if (used.length === 0) return drawn;
  const checksum = createHash('sha256').update(canonicalJson(used)).digest('hex').slice(0, 32);
  const metadata = memberOf(template, 'metadata');
  const annotations = { ...memberOf(metadata, 'annotations'), [checksumAnnotation]: checksum };
  const marked = { ...template, metadata: { ...metadata, annotations } };
  return { ...drawn, object: { ...object, spec: { ...spec, template: marked } } };
}
