import type { ServicePlan } from '../../../broker/catalog.ts';
import type { NodeSettings } from '../../../node/instance-context.ts';
import { containerTraits } from './traits.ts';
import type { AllowedImages } from './images.ts';

interface ContainerSettings extends NodeSettings {
  readonly config: {
    readonly nodeContainers?: string | undefined;
    readonly nodeImages?: AllowedImages;
    readonly nodePull: boolean;
    readonly nodeRegistryLogins?: string | undefined;
  };
}

/** Containers of an instance at the engine of this node, from what the offering file declares. */
export const containerModule = {
  name: 'container',
  traits: containerTraits,
  async create({ node, ports, users, certificates, config }: ContainerSettings) {
    const { containers } = await import('./index.ts');
    const { containerEngine, noContainerEngine } = await import('./engine.ts');
    const { imagePull } = await import('./pull.ts');
    const { nodeContainers: socket, nodeImages: images, nodePull, nodeRegistryLogins } = config;
    const engine = socket === undefined ? noContainerEngine : containerEngine(socket);
    const ending = new AbortController();
    const pull = nodePull ? imagePull(engine, nodeRegistryLogins, ending.signal) : undefined;
    const provisioner = containers({ node, ports, users, certificates }, { engine, images, pull });
    return {
      ...provisioner,
      async concerns(plan: ServicePlan) {
        const told = (await provisioner.concerns?.(plan)) ?? [];
        // What its own end has kept it from is no concern.
        return ending.signal.aborted ? [] : told;
      },
      async close() {
        ending.abort();
        await provisioner.close?.();
      },
    };
  },
};
