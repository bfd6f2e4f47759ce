import type { Making } from '../../broker/catalog.ts';
import { isObject } from '../../broker/json.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { ServiceInstance } from '../../broker/records.ts';

/** What an instance was made with. It is kept with the instance, so a later catalog does not change it. */
export interface EchoFacts {
  readonly answer: 'echo' | 'invert';
  /** Number of messages that are kept. */
  readonly keep: number;
}

/** The template root `echo`, from the offering's `config` and the plan's `with`. */
export function echoFacts({ config, settings }: Making): JsonObject {
  const answer = config['answer'] ?? 'echo';
  const keep = settings['keep'] ?? 100;
  return { echo: { answer, keep } };
}

/** Undefined for an instance that is not (or not yet) an echo. */
export function findEchoFacts(instance: ServiceInstance | undefined): EchoFacts | undefined {
  const facts = instance?.ready ? instance.confidential.facts['echo'] : undefined;
  if (!isObject(facts) || typeof facts['keep'] !== 'number') return undefined;
  return { answer: facts['answer'] === 'invert' ? 'invert' : 'echo', keep: facts['keep'] };
}
