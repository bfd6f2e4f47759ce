/** What each key of `config` means, by its path. */
export const meanings: Readonly<Record<string, string>> = {
  'config.roots':
    "Directories of the node that are there and are used in turn. Without any, instances are in the node's own directory",
  'config.mode': 'Who may do what in it, "0770" unless something is said',
  'config.quota_mb':
    'Megabytes. It is observed, not enforced: while there is more, the instance is `started` with a reason that says how much there is; from nine tenths the log says so once',
};
