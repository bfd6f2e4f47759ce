/** Names of images, as `docker pull` takes them: `registry:port/path:tag`, or `@sha256:...` in place of the tag. */

/** What is filled in may be a tenant's: nothing that leads the engine to something else. */
export function isImageName(image: string): boolean {
  return /^[A-Za-z0-9][\w.:/@-]*$/.test(image) && !/\.\.|\/\//.test(image);
}

export interface ImageName {
  readonly repository: string;
  /** A tag, or a digest with its `sha256:`. */
  readonly version: string;
  /** `localhost:5000`; that of Docker when the name has none. */
  readonly registry: string;
}

export function imageNameOf(image: string): ImageName {
  const [named = image, digest] = image.split('@');
  // A colon before the last slash is that of a port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  const [first = ''] = repository.split('/');
  const isRegistry = repository.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return {
    repository,
    version: digest ?? (colon < 0 ? 'latest' : named.slice(colon + 1)),
    registry: isRegistry ? first : dockerHub,
  };
}

export const dockerHub = 'docker.io';

/**
 * The name with the digest that stands for the same image for ever; undefined when it has been at no registry, or is
 * such a name already.
 * @param digests what the engine says of the image: `redis@sha256:...`
 */
export function digestOf(image: string, digests: readonly string[]): string | undefined {
  if (image.includes('@')) return undefined;
  const own = familiar(imageNameOf(image).repository);
  return digests.find((one) => familiar(imageNameOf(one).repository) === own);
}

/** The same repository of Docker has three names. */
function familiar(repository: string): string {
  return repository.replace(/^docker\.io\//, '').replace(/^library\//, '');
}
