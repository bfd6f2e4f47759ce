import { readFileSync } from 'node:fs';
import type { InstanceContext } from '../../../node/instance-context.ts';
import type { Ran } from '../../../system/run-program.ts';
import type { UnitCommand } from '../units/runner.ts';
import { type ContainerEngine, findByName, objectIn, requireAnswer, textIn } from './engine.ts';
import { findContainer } from './look.ts';
import { outputOf } from './output.ts';

/** Bytes of what a command writes. */
const longest = 65_536;

/**
 * Runs a command in a unit's container, as its program runs; in one that does not run it has no code. Undefined when
 * there is no such program.
 */
export async function execIn(
  engine: ContainerEngine,
  context: InstanceContext,
  unit: string,
  { command, timeoutMs, signal }: UnitCommand,
  cwd: string,
): Promise<Ran | undefined> {
  const container = await findContainer(engine, context, unit);
  if (container === 'strange' || !container?.isRunning) return nothing('it does not run');
  const body = { Cmd: [...command], AttachStdout: true, AttachStderr: true, WorkingDir: cwd };
  const made = await engine.ask('POST', `/containers/${container.id}/exec`, { body, signal });
  if (made.status === 409) return nothing('it does not run');
  const id = textIn(objectIn(requireAnswer(made).bytes)['Id']);
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), timeoutMs);
  try {
    const answer = await engine.ask('POST', `/exec/${id}/start`, {
      body: { Detach: false, Tty: false },
      limit: timeoutMs + 60_000,
      signal: AbortSignal.any([signal, end.signal]),
      maxBytes: longest,
    });
    if (answer.isCut) await endExec(engine, id, container.id);
    const { stdout, stderr } = outputOf(requireAnswer(answer, 400).bytes);
    const { ExitCode } = (await findByName(engine, `/exec/${id}/json`)) ?? {};
    // As engines tell that they have not found the program.
    if (answer.status === 400 || ExitCode === 127 || ExitCode === 126) {
      if (/executable file not found|no such file or directory/i.test(answer.bytes.toString()))
        return undefined;
    }
    const code = typeof ExitCode === 'number' && !answer.isCut ? ExitCode : undefined;
    return { code, stdout, stderr: stderr.slice(-16_384), timedOut: false, tooMuch: answer.isCut };
  } catch (error) {
    // The engine lets it go on when nobody listens any more.
    if (end.signal.aborted || signal.aborted) await endExec(engine, id, container.id);
    signal.throwIfAborted();
    if (!end.signal.aborted) throw error;
    return { code: undefined, stdout: '', stderr: '', timedOut: true, tooMuch: false };
  } finally {
    clearTimeout(timer);
  }
}

/** The engine has no way to end it but by its process, which must be one of the container. */
async function endExec(engine: ContainerEngine, id: string, container: string): Promise<void> {
  const { Running, Pid } = (await findByName(engine, `/exec/${id}/json`).catch(() => undefined)) ?? {};
  if (Running !== true || typeof Pid !== 'number' || Pid <= 1) return;
  try {
    if (readFileSync(`/proc/${Pid}/cgroup`, 'utf8').includes(container)) process.kill(Pid, 'SIGKILL');
  } catch {
    // It has ended by itself, or is not ours to end.
  }
}

function nothing(why: string): Ran {
  return { code: undefined, stdout: '', stderr: why, timedOut: false, tooMuch: false };
}
