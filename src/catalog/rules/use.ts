import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import type { Expression } from '../../broker/template.ts';
import type { OfferingFile, PlanView } from '../form/offering-file.ts';
import { isPerBinding, type TemplatePosition } from './places.ts';

/** One expression, where it stands, and all that is known about it. */
export interface Use {
  readonly expression: Expression;
  readonly place: TemplatePosition;
  readonly offering: OfferingFile;
  readonly view: PlanView;
  readonly traits: ProvisionerTraits | undefined;
}

/** Is there a binding whose id and secrets it may use? */
export function isOfBinding({ place, expression: { at } }: Use): boolean {
  return isPerBinding(place, at);
}

export const onlyPerBinding = 'It belongs to one binding, and this place to the instance.';

/** `run` of hooks and processes, `command` of what asks whether something is ready. */
export function isOnCommandLine({ at }: Expression): boolean {
  return /(?:^|\.)(?:run|command)\[/.test(at);
}

export function isProgram({ at }: Expression): boolean {
  return /(?:^|\.)(?:run|command)\[0\]$/.test(at);
}
