import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { openDatabase } from '../program/open-database.ts';
import { readSecrets } from '../program/secrets.ts';
import { requireKeys, retireKeys } from '../stores/postgres/keys.ts';
import { resealRows } from '../stores/postgres/reseal.ts';
import { resealer } from '../stores/sealed.ts';
import type { CliCommand } from './command.ts';

/** Milliseconds that a database which is away is waited for. */
const patience = 3_000;

export const rekey: CliCommand = {
  usage: 'rekey',
  description: 'Encrypt again, with the newest key, what lies in the database under older ones.',
  async run() {
    const config = readConfig();
    const log = createLog(config);
    const { keys } = readSecrets(config);
    const database = await openDatabase({
      config,
      note: (message) => log.note('info', message),
      observe: (event) => log.event(event),
      signal: AbortSignal.timeout(patience),
    });
    try {
      await requireKeys(database.pool, keys);
      const rows = await resealRows(database.pool, resealer(keys));
      await retireKeys(database.pool, keys);
      const records = rows === 1 ? '1 record' : `${rows} records`;
      console.log(`Encrypted ${records} with the newest key. Older keys are no longer needed.`);
    } finally {
      await database.close();
    }
    return 0;
  },
};
