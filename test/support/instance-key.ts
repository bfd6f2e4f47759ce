import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The keys under which an instance has directories in this parent: one for each of its lives, none when it has none. */
export function keysIn(parent: string, instanceId: string): readonly string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent).filter((entry) => {
    const marker = join(parent, entry, 'instance.json');
    if (!/^p[0-9a-f]{20}$/.test(entry) || !existsSync(marker)) return false;
    return (JSON.parse(readFileSync(marker, 'utf8')) as { id: string }).id === instanceId;
  });
}

/** The only one; a name under which there is nothing when there is none. */
export function keyIn(parent: string, instanceId: string): string {
  const keys = keysIn(parent, instanceId);
  if (keys.length > 1) throw new Error(`The instance ${instanceId} has several directories in ${parent}.`);
  return keys[0] ?? 'none';
}
