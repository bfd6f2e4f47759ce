import { readFile } from 'node:fs/promises';
import type { Log } from '../../telemetry/log.ts';
import { createLooks, type RepeatedLooks } from '../looks.ts';
import { readReceivers, type Receiver } from './read.ts';

interface FollowParts {
  readonly file: string;
  readonly log: Pick<Log, 'note' | 'hide'>;
  /** As they were read at the start. */
  readonly first: readonly Receiver[];
  readonly onChange: (receivers: readonly Receiver[]) => void;
  /** Milliseconds between looks at the file. */
  readonly lookMs?: number;
}

/** Reads the receivers again whenever their file, or that of an authority, changes; one with mistakes is told, and those from before stay. */
export function followReceivers({ file, log, first, onChange, lookMs }: FollowParts): RepeatedLooks {
  let present = first;
  let text: string | undefined;
  let told: string | undefined;

  async function look(isAsked: boolean): Promise<void> {
    const now = await textOf([file, ...present.flatMap(({ caFile }) => caFile ?? [])]);
    if (now === text && !isAsked) return;
    try {
      const read = readReceivers(file, log);
      const isOther = JSON.stringify(read) !== JSON.stringify(present);
      present = read;
      told = undefined;
      // Authorities that are named anew are looked at from now on.
      text = isOther ? undefined : now;
      if (!isOther) return;
      log.note('info', 'receivers of webhooks loaded', { receivers: read.length });
      onChange(read);
    } catch (error) {
      text = now;
      const { message } = error as Error;
      if (message === told && !isAsked) return;
      told = message;
      log.note('error', `${message} The receivers from before stay in use.`);
    }
  }
  return createLooks(look, lookMs);
}

async function textOf(files: readonly string[]): Promise<string> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')));
  return JSON.stringify(texts);
}
