/**
 * Runs the units of an instance in containers, at an engine of this machine that speaks the Docker API; files, ports,
 * order, readiness and bindings are those of `process` (docs/containers.md).
 */
import type { Provisioner } from '../../../broker/provisioner.ts';
import type { NodeSettings } from '../../../node/instance-context.ts';
import { configOf } from '../config.ts';
import { unitsOfInstances } from '../index.ts';
import { containerRunner } from './container-runner.ts';
import { concernsAbout } from './concerns.ts';
import { type ImageSource, isAllowedImage } from './images.ts';
import { mistakeInContainers } from './mistakes.ts';
import { containerTraits } from './traits.ts';

export function containers(settings: NodeSettings, source: ImageSource): Provisioner {
  const { images } = source;
  const common = unitsOfInstances({ ...settings, runner: containerRunner(source) });
  return {
    ...common,
    traits: containerTraits,
    obstacle(plan) {
      const config = configOf(plan);
      const forbidden = Object.values(config.processes).find(
        ({ image = '' }) => !image.includes('{{') && !isAllowedImage(images, image),
      );
      return (
        mistakeInContainers(config, plan.operating.hooks) ??
        (forbidden && `NODE_IMAGES does not allow the image ${forbidden.image}`) ??
        common.obstacle?.(plan)
      );
    },
    concerns: (plan) => concernsAbout(source, configOf(plan)),
  };
}
