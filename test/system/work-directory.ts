import { lchownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { aTestNode, type TestNode } from '../node/test-node.ts';

/** A node, and a directory in which its account may run programs. */
export async function aNodeWithWork(): Promise<{ testNode: TestNode; directory: string }> {
  const testNode = await aTestNode();
  const directory = join(testNode.place, 'work');
  mkdirSync(directory, { mode: 0o755 });
  give(testNode, directory);
  return { testNode, directory };
}

/** To the account of the node, where it has one. */
export function give({ node: { account } }: TestNode, path: string): void {
  if (account) lchownSync(path, account.uid, account.gid);
}
