import { Writable } from 'node:stream';

/** What is written is put together, and written at once when it is flushed. */
export interface BufferedOutput {
  readonly stream: Writable;
  flush(): void;
}

/** Bytes, nearly: more than this is not kept, whoever flushes. */
const most = 65_536;

/** @param onKept hears that there is something to flush */
export function bufferedOutput(output: NodeJS.WritableStream, onKept: () => void): BufferedOutput {
  let kept = '';
  function flush(): void {
    if (kept === '') return;
    const text = kept;
    kept = '';
    output.write(text);
  }
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      kept += text;
      if (kept.length > most) flush();
      else onKept();
      done();
    },
  });
  return { stream, flush };
}

/** Something that is done later, when it was asked for, and at the latest when the process ends. */
export interface Later {
  /** Once in this time, however often it is asked for. */
  readonly soon: () => void;
}

/** @param ms after which it is done; the process is not kept alive for it, which does it as it ends */
export function doLater(ms: number, act: () => void): Later {
  let timer: NodeJS.Timeout | undefined;
  let isAwaited = false;
  atExit(act);
  return {
    soon() {
      if (isAwaited) return;
      isAwaited = true;
      timer ??= setTimeout(onTime, ms).unref();
      timer.refresh();
    },
  };
  function onTime(): void {
    isAwaited = false;
    act();
  }
}

const last: (() => void)[] = [];

function atExit(act: () => void): void {
  if (last.length === 0) process.on('exit', () => last.forEach((one) => one()));
  last.push(act);
}
