import type { Isolation } from '../broker/nodes.ts';
import type { Account } from '../system/account.ts';
import { findBubblewrap } from '../system/sandbox/bubblewrap.ts';
import type { Bubblewrap } from '../system/sandbox/wrap.ts';
import type { LocalNode } from './local-node.ts';

export interface SandboxOptions {
  /** `auto`: where it works. */
  readonly use: 'auto' | 'off' | 'required';
  /** Directories of which programs see nothing, such as the broker's own. */
  readonly hidden: readonly string[];
  /** What they may read beside the system and the directories of their instance. */
  readonly reads: readonly string[];
}

export interface SandboxParts {
  readonly sandbox: SandboxOptions;
  /** Present: who runs programs has an account that is not the broker's. */
  readonly account: Account | undefined;
  /** Has each instance one of its own? */
  readonly own: boolean;
  readonly path: string;
  readonly note: (message: string) => void;
}

/**
 * Finds out what keeps programs apart on this machine, and tells when that is little.
 * @throws Error when a sandbox is required and does not work
 */
export async function openSandbox({
  sandbox: { use, hidden, reads },
  account,
  own,
  path,
  note,
}: SandboxParts): Promise<Pick<LocalNode, 'isolation' | 'bubblewrap'>> {
  const bubblewrap = use === 'off' ? undefined : await seek();
  const isolation = isolationOf(own, bubblewrap);
  return { isolation, bubblewrap };

  async function seek(): Promise<Bubblewrap | undefined> {
    const found = await findBubblewrap({ account, path, hidden, reads });
    if ('bubblewrap' in found) return found.bubblewrap;
    if (use === 'required') throw new Error(`NODE_SANDBOX is required, but ${found.lacking}.`);
    note(`Programs of instances run without a sandbox: ${found.lacking}. ${meaning(account, own)}`);
    return undefined;
  }
}

/** An account that instances share keeps none from the other. */
function isolationOf(own: boolean, bubblewrap: Bubblewrap | undefined): Isolation {
  if (own) return bubblewrap ? 'accounts+sandbox' : 'accounts';
  return bubblewrap ? 'sandbox' : 'none';
}

function meaning(account: Account | undefined, own: boolean): string {
  if (own) return 'Each instance sees what its own account may see.';
  return account
    ? 'Whoever gets inside of one reaches the other instances.'
    : 'Whoever gets inside of one reaches what the broker itself can: its keys, its database and the other instances.';
}
