/** What each key of `config` means, by its path. */
export const meanings: Readonly<Record<string, string>> = {
  'config.server':
    'The NAME of an environment variable of the broker. Where it is not set, the offering is hidden',
  'config.connection_limit': 'Sessions at once; all databases together have at most what the server has',
  'config.quota_mb': 'Megabytes, at least 10. A database that is larger lets nobody in, as said below',
  'config.idle_transaction_s':
    'Seconds after which a session that stands still within a transaction ends, unless it sets another limit itself; never unless something is said',
  'config.extensions': 'Extensions that it has',
};
