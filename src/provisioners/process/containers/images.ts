import { Failure } from '../../../broker/errors.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import { readMark, writeMarkSync } from '../../../node/state-files.ts';
import { type ContainerEngine, findByName } from './engine.ts';
import { digestOf, isImageName } from './image-names.ts';

/** Which images instances may be made from: names, and with `*` at the end all that begin so. Absent: all. */
export type AllowedImages = readonly string[] | undefined;

/**
 * Fetches an image from its registry.
 * @throws Failure when the registry has none for us; Error when it could not be fetched now
 */
export type Pull = (image: string, signal?: AbortSignal) => Promise<void>;

/** Where images come from, and which of them instances may be made from. */
export interface ImageSource {
  readonly engine: ContainerEngine;
  readonly images?: AllowedImages;
  /** Fetches what the engine does not have; absent: nothing is fetched. */
  readonly pull?: Pull;
}

export function isAllowedImage(allowed: AllowedImages, image: string): boolean {
  if (!isImageName(image)) return false;
  return (
    allowed === undefined ||
    allowed.some((one) => (one.endsWith('*') ? image.startsWith(one.slice(0, -1)) : image === one))
  );
}

/**
 * Is the image at the engine? It is fetched where that is wanted.
 * @param image as the offering file calls it
 * @param meant what that stands for
 * @throws Failure when it is not allowed or not there
 */
async function requireImage(
  source: ImageSource,
  image: string,
  signal: AbortSignal,
  meant: string,
): Promise<FoundImage> {
  if (!isAllowedImage(source.images, image))
    throw new Failure('image-not-allowed', 'The image of the service is not allowed here.', {
      detail: isImageName(image)
        ? `NODE_IMAGES does not allow the image ${image}.`
        : 'What stands for the image is no name of one.',
    });
  return fetchIfMissing(source, meant, image, signal);
}

/**
 * The image that an instance is made from: what its name stood for at the registry when the instance first had it,
 * whatever it stands for now. An image of no registry is the one that has the name.
 * @throws Failure when it is not allowed or not there
 */
export async function requireOwnImage(
  source: ImageSource,
  { directory, work }: InstanceContext,
  image: string,
): Promise<FoundImage> {
  const pin = readMark(directory, pins)?.[image];
  return requireImage(source, image, work.signal, typeof pin === 'string' ? pin : image);
}

/** From now on the name stands for this image in what is made for the instance. */
export function keepImage({ directory }: InstanceContext, image: string, { digests }: FoundImage): void {
  const known = readMark(directory, pins) ?? {};
  const digest = digestOf(image, digests);
  if (digest !== undefined && known[image] === undefined)
    writeMarkSync(directory, pins, { ...known, [image]: digest });
}

/** The name of the state file with names of images and what they stood for. */
const pins = 'images';

interface FoundImage {
  readonly id: string;
  /** Names with the digests that registries know it by. */
  readonly digests: readonly string[];
}

/** @param called as the offering file calls it */
async function fetchIfMissing(
  { engine, pull }: ImageSource,
  image: string,
  called: string,
  signal: AbortSignal,
): Promise<FoundImage> {
  const there = await findImage(engine, image, signal);
  if (there) return there;
  await pull?.(image, signal);
  const fetched = pull && (await findImage(engine, image, signal));
  if (fetched) return fetched;
  const detail =
    image === called
      ? `The container engine has no image ${image}.`
      : `The container engine has no longer the image ${image}, which ${called} stood for.`;
  throw noImage(`${detail} Load it with docker pull, load or import.`);
}

/** Trying again changes nothing. */
export function noImage(detail: string): Failure {
  return new Failure('no-image', 'The image of the service is not there.', { detail });
}

/** Undefined when the engine has none of this name. */
export async function findImage(
  engine: ContainerEngine,
  image: string,
  signal?: AbortSignal,
): Promise<FoundImage | undefined> {
  const found = await findByName(engine, `/images/${image}/json`, { signal });
  const { Id: id, RepoDigests: digests } = found ?? {};
  if (typeof id !== 'string') return undefined;
  return { id, digests: Array.isArray(digests) ? digests.filter((one) => typeof one === 'string') : [] };
}
