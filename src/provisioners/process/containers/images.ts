import { Failure } from '../../../broker/errors.ts';
import { type ContainerEngine, findByName } from './engine.ts';

/** Which images instances may be made from: names, and with `*` at the end all that begin so. Absent: all. */
export type AllowedImages = readonly string[] | undefined;

export function isAllowedImage(allowed: AllowedImages, image: string): boolean {
  if (!isName(image)) return false;
  return (
    allowed === undefined ||
    allowed.some((one) => (one.endsWith('*') ? image.startsWith(one.slice(0, -1)) : image === one))
  );
}

/** What is filled in may be a tenant's: nothing that leads the engine to something else. */
function isName(image: string): boolean {
  return /^[A-Za-z0-9][\w.:/@-]*$/.test(image) && !/\.\.|\/\//.test(image);
}

/**
 * The id of an image that the engine has. Nothing is fetched from anywhere.
 * @throws Failure when it is not allowed or not there
 */
export async function requireImage(
  engine: ContainerEngine,
  allowed: AllowedImages,
  image: string,
  signal?: AbortSignal,
): Promise<string> {
  if (!isAllowedImage(allowed, image))
    throw new Failure('image-not-allowed', 'The image of the service is not allowed here.', {
      detail: isName(image)
        ? `NODE_IMAGES does not allow the image ${image}.`
        : 'What stands for the image is no name of one.',
    });
  const found = await findByName(engine, `/images/${image}/json`, { signal });
  const id = found?.['Id'];
  if (typeof id === 'string') return id;
  throw new Failure('no-image', 'The image of the service is not there.', {
    detail: `The container engine has no image ${image}. Load it with docker pull, load or import.`,
  });
}
