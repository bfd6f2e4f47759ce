import type { ProvisionerTraits } from '../../../broker/provisioner.ts';
import { meanings } from '../meanings.ts';
import { traits } from '../traits.ts';
import { containerConfigSchema, containerFills } from './config-schema.ts';

/** What a node has that has an engine for containers. */
export const containerEngineNeed = 'container engine';

const { runsPrograms: _, ...shared } = traits;

export const containerTraits: ProvisionerTraits = {
  // The engine keeps them apart, whatever else the node has.
  ...shared,
  needs: [containerEngineNeed],
  config: containerConfigSchema,
  meanings: {
    'config.image':
      'What the containers are made from. It must be at the engine, and `NODE_IMAGES` must allow it',
    ...meanings,
    'config.needs':
      'Executables for hooks, which run on the node itself. Without these on its PATH a node does not get instances. Only `{{plan.x}}` can be used here',
    'config.processes': 'The units, a container for each',
    'config.processes.<name>.image': 'Of this container, where it is another one',
    'config.processes.<name>.ports':
      'At which of the ports this container listens; the only container listens at all of them',
    'config.processes.<name>.run':
      "The program in the image and its arguments, in place of the image's own. Secrets may not stand here",
    'config.processes.<name>.env':
      'Its environment, beside that of the image, LANG, HOME, PURVEYOR_INSTANCE and PURVEYOR_UNIT; secrets may stand here',
    'config.processes.<name>.ready.command':
      'A program of the image that ends with 0 when the unit is ready, run in its container. Secrets may not stand here',
  },
  fills: containerFills,
  roots: shared.roots.filter((root) => root !== 'pids'),
};
