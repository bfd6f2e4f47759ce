import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Holding } from '../market.ts';
import type { Attacks } from './attack.ts';

const pathOf = ({ credentials }: Holding) => credentials['path'] ?? '';

/** A directory is files and no program: what there is to attack is the broker, which walks it. */
export const filesystem: Attacks = {
  plan: 'small',
  plant(holding, secret) {
    writeFileSync(join(pathOf(holding), 'secret'), secret);
    return Promise.resolve();
  },
  attacks: [
    {
      to: 'follow links out of the directory when it is removed',
      async try({ mine, neighbour, paths }) {
        const own = pathOf(mine);
        mkdirSync(join(own, 'folder'));
        // Whom the directory belongs to works in it.
        const { uid, gid } = statSync(own);
        chownSync(join(own, 'folder'), uid, gid);
        symlinkSync(pathOf(neighbour), join(own, 'to-a-neighbour'));
        symlinkSync(neighbour.base, join(own, 'folder', 'to-all-of-it'));
        symlinkSync('/', join(own, 'to-all'));
        for (const [index, path] of paths.entries()) symlinkSync(path, join(own, `to-a-file-${index}`));
        await mine.deprovision();
        const left = [own, mine.base].filter((path) => existsSync(path));
        const kept = [...paths, pathOf(neighbour), join(pathOf(neighbour), 'secret')].every(
          (path) => lstatSync(path).size > 0 && isWhole(path),
        );
        return JSON.stringify({ left, kept });
      },
      refusal: /^\{"left":\[\],"kept":true\}$/,
    },
  ],
};

/** It is there, whatever it is. */
function isWhole(path: string): boolean {
  return lstatSync(path).isDirectory() || readFileSync(path).length > 0;
}
