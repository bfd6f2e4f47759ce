import { expressionsIn, positionIn, renderKnown } from '../../broker/template.ts';
import { secondsOf } from '../duration.ts';
import { type OfferingFile, planCalled, type PlanView } from '../form/offering-file.ts';
import { type Finding, mistake, warning } from '../problem.ts';

/** What a binding gives must be what `requires` announces (spec.md, Binding: Log Drain, Route, Volume Services). */
export function grantFindings({ requires = [] }: OfferingFile, view: PlanView): readonly Finding[] {
  const { plan, words, bindable } = view;
  const findings = grants.flatMap(([permission, word]) => {
    const gives = words[word] !== undefined;
    const announced = requires.includes(permission);
    if (gives && !announced) return [mistake(view.placeOf(word), `This needs '${permission}' in requires.`)];
    if (gives || !announced || !bindable) return [];
    return [mistake('requires', `'${permission}' promises ${word}, and the ${planCalled(plan)} has none.`)];
  });
  if (words.credentials_type !== undefined && !words.credentials) {
    return [
      ...findings,
      mistake(view.placeOf('credentials_type'), 'It says what `credentials` are, and there are none.'),
    ];
  }
  if (!bindable || requires.length > 0 || words.credentials) return findings;
  return [
    ...findings,
    mistake('credentials', `The ${planCalled(plan)} is bindable, so it needs credentials.`),
  ];
}

const grants = [
  ['syslog_drain', 'syslog_drain_url'],
  ['route_forwarding', 'route_service_url'],
  ['volume_mount', 'volume_mounts'],
] as const;

/** Cloud Controller takes a route service by https alone. */
export function routeFindings(view: PlanView): readonly Finding[] {
  const url = view.words.route_service_url;
  if (url === undefined) return [];
  const known = withPlanValues(url, view);
  if (/^https:\/\/[^/?#\s]/.test(known)) return [];
  const at = view.placeOf('route_service_url');
  return known.startsWith('{{')
    ? [warning(at, 'The address must start with https:// when it is filled in.')]
    : [mistake(at, 'The address must be https:// and a host.')];
}

/** The text with what the plan fixes, as far as nothing else is in it. */
function withPlanValues(text: string, { plan }: PlanView): string {
  if (expressionsIn(text).some(({ path }) => path[0] !== 'plan')) return text;
  const filled = renderKnown(text, { plan: plan.with ?? {} });
  return typeof filled === 'string' ? filled : text;
}

/** A binding must be fetchable when it is made later, and renewable before it ends. */
export function bindingFindings(offering: OfferingFile, view: PlanView): readonly Finding[] {
  const { async, binding_metadata: metadata } = view.words;
  const findings: Finding[] = [];
  const bindsLater = async === 'required' || async?.includes('bind');
  if (bindsLater && view.bindable && !offering.bindings_retrievable) {
    const reason =
      'Without bindings_retrievable: true the credentials of an asynchronous bind can never be fetched.';
    findings.push(mistake(view.placeOf('async'), reason));
  }
  if (metadata?.renew_before && secondsOf(metadata.renew_before) >= secondsOf(metadata.expires_after)) {
    const at = positionIn(view.placeOf('binding_metadata'), 'renew_before');
    findings.push(mistake(at, 'The time must be shorter than expires_after.'));
  }
  return findings;
}
