import type { JsonObject } from '../../../broker/json.ts';
import { renderText } from '../../../broker/template.ts';
import type { ProcessConfig } from '../config.ts';

/** The images of an instance, once each. */
export function imagesOf({ processes }: ProcessConfig, roots: JsonObject): readonly string[] {
  const images = Object.entries(processes).flatMap(([unit, { image }]) =>
    image === undefined ? [] : [renderText(image, roots, `config.processes.${unit}.image`)],
  );
  return [...new Set(images)];
}

/** What the schema of containers cannot see. A clause, or undefined. */
export function mistakeInContainers(
  { processes }: ProcessConfig,
  hooks: Readonly<Record<string, unknown>>,
): string | undefined {
  const without = Object.entries(processes).find(([, { image }]) => image === undefined);
  if (without) return `config has no image, and config.processes.${without[0]} has none either`;
  const foreign = ['start', 'stop', 'halt'].find((name) => Object.hasOwn(hooks, name));
  return foreign === undefined
    ? undefined
    : `a hook for ${foreign} has no use: the engine runs the containers`;
}
