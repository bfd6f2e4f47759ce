// Encrypting everything anew goes through everything: what it does in a second must stay.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Place } from './place.ts';
import type { Measured, Pair } from './samples.ts';

export async function measureRekey([few, many]: Pair<Place>): Promise<Measured> {
  return { name: 'records encrypted anew', half: [await rateOf(few), await rateOf(many)] };
}

/** Of the time that the command takes from its begin to its end. */
async function rateOf({ url, keys }: Place): Promise<number> {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: url,
    ENCRYPTION_KEYS: `fresh:${randomBytes(32).toString('base64')},${keys}`,
    BROKER_PASSWORD: 'it-asks-for-one',
  };
  const words = [join(import.meta.dirname, '../../src/start.js'), 'rekey', '--saved', '--json'];
  const begun = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, words, { env });
  const records = /"records": (\d+)/.exec(stdout)?.[1];
  return Number(records) / ((performance.now() - begun) / 1000);
}
