import type { NodeSettings } from '../../../node/instance-context.ts';
import { containerTraits } from './traits.ts';
import type { AllowedImages } from './images.ts';

interface ContainerSettings extends NodeSettings {
  readonly config: {
    readonly nodeContainers?: string | undefined;
    readonly nodeImages?: AllowedImages;
  };
}

/** Containers of an instance at the engine of this node, from what the offering file declares. */
export const containerModule = {
  name: 'container',
  traits: containerTraits,
  async create({ node, ports, users, certificates, config }: ContainerSettings) {
    const { containers } = await import('./index.ts');
    const { containerEngine, noContainerEngine } = await import('./engine.ts');
    const { nodeContainers: socket, nodeImages: images } = config;
    const engine = socket === undefined ? noContainerEngine : containerEngine(socket);
    return containers({ node, ports, users, certificates }, { engine, images });
  },
};
