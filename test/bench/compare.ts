import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drive, type Driven, type Peer } from './peer.ts';
import { freePort, login, startBroker, stop, type Running } from './programs.ts';
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
  const broker = await startBroker(await freePort(), { DATA_DIR: directory });
  try {
    const { offering, plan, rows } = await compareLives(broker, peer, ms);
    const head = ['whole lives', `echo here`, `${offering} ${plan} there`, 'ratio'];
    return table([
      head,
      ...rows.map(({ concurrency, here, there }) => [
        `${concurrency} at once`,
        perSecond(here),
        perSecond(there),
        ratio(here, there),
      ]),
    ]);
  } finally {
    await stop(broker);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Lives of echo per second at ours, and of the peer's plan there. */
export async function compareLives({ port }: Pick<Running, 'port'>, peer: Peer, ms: number) {
  const [ours, theirs] = await Promise.all([
    drive({ url: `http://127.0.0.1:${port}`, login, offering: 'echo' }),
    drive(peer),
  ]);
  const rows: { concurrency: number; here: number; there: number }[] = [];
  try {
    for (const concurrency of [1, 16])
      rows.push({ concurrency, ...(await inTurns(ours, theirs, concurrency, ms)) });
  } finally {
    ours.close();
    theirs.close();
  }
  return { offering: theirs.offering, plan: theirs.plan, rows };
}

async function inTurns(ours: Driven, theirs: Driven, concurrency: number, ms: number) {
  // Warmed up first.
  for (const one of [ours, theirs]) await one.measure(concurrency, ms / 2);
  let [here, there] = [0, 0];
  for (let turn = 0; turn < turns; turn += 1) {
    here += (await ours.measure(concurrency, ms)) / turns;
    there += (await theirs.measure(concurrency, ms)) / turns;
  }
  return { here, there };
}
