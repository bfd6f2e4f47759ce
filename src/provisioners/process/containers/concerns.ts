import { Failure } from '../../../broker/errors.ts';
import type { ProcessConfig } from '../config.ts';
import { findImage, type ImageSource } from './images.ts';

/**
 * What keeps the engine of this node from making instances of a plan. Images that it does not have are fetched from now
 * on, where that is wanted, so that no instance has to wait for them.
 */
export async function concernsAbout(
  { engine, pull }: ImageSource,
  { processes }: ProcessConfig,
): Promise<readonly string[]> {
  const images = Object.values(processes).flatMap(({ image = '{{' }) =>
    image.includes('{{') ? [] : [image],
  );
  try {
    return (await Promise.all([...new Set(images)].map(concernAbout))).flat();
  } catch (error) {
    return [sentenceOf(error)];
  }

  async function concernAbout(image: string): Promise<readonly string[]> {
    if (await findImage(engine, image)) return [];
    const missing = `The container engine has no image ${image}.`;
    if (!pull) return [`${missing} Load it with docker pull, load or import.`];
    try {
      await pull(image);
      return [];
    } catch (error) {
      return [sentenceOf(error)];
    }
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof Failure) return error.hints.detail ?? error.message;
  return error instanceof Error ? error.message : 'The container engine cannot be asked.';
}
