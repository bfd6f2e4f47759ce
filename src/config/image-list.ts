import { type Kind, WrongValue } from './kinds.ts';

/** Names of container images, or how they begin, separated by commas. */
export function imageList(): Kind<readonly string[]> {
  return { read: requireImages };
}

function requireImages(value: string): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  if (
    value.includes('//') ||
    !names.every((name) => /^[a-z0-9][a-z0-9._:/@-]*\*?$/i.test(name) || name === '*')
  )
    throw new WrongValue('must be names of images with commas between them');
  return names;
}
