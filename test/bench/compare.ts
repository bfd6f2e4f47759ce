import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drive, type Driven, type Peer } from './peer.ts';
import { freePort, login, startBroker, stop } from './programs.ts';
import { perSecond, ratio, table } from './table.ts';

const turns = 3;

/**
 * Whole lives at a broker of ours with its own database and at the peer, in turns, so that a noisy moment hits both.
 * @param ms of each turn
 * @returns a table with the ratio of what was done per second
 * @throws Error when one of them answers with anything but success
 */
export async function compare(peer: Peer, ms: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'purveyor-bench-'));
  const port = await freePort();
  const broker = await startBroker(port, { DATA_DIR: directory });
  const [ours, theirs] = await Promise.all([
    drive({ url: `http://127.0.0.1:${port}`, login, offering: 'echo' }),
    drive(peer),
  ]);
  try {
    const rows = [['whole lives', `echo here`, `${theirs.offering} ${theirs.plan} there`, 'ratio']];
    for (const concurrency of [1, 16]) rows.push(await row(ours, theirs, concurrency, ms));
    return table(rows);
  } finally {
    ours.close();
    theirs.close();
    await stop(broker);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function row(ours: Driven, theirs: Driven, concurrency: number, ms: number): Promise<string[]> {
  // Warmed up first.
  for (const one of [ours, theirs]) await one.measure(concurrency, ms / 2);
  let [here, there] = [0, 0];
  for (let turn = 0; turn < turns; turn += 1) {
    here += (await ours.measure(concurrency, ms)) / turns;
    there += (await theirs.measure(concurrency, ms)) / turns;
  }
  return [`${concurrency} at once`, perSecond(here), perSecond(there), ratio(here, there)];
}
