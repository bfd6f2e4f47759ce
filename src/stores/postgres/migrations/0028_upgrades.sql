-- Upgrades of many instances as one run, which any broker carries on. Times are the database's own.
create table upgrade_runs (
  id text primary key,
  state text not null check (state in ('running', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled')),
  -- Why it is paused or has failed, as a sentence; null: as an operator wants it.
  reason text,
  -- What was asked for, as it was said.
  filter json not null,
  canaries integer not null,
  at_once integer not null,
  stop_after integer not null,
  watch_ms integer not null,
  approval boolean not null,
  -- The canaries are up and well, or an operator has said that it may go on.
  passed boolean not null default false,
  -- Since when all canaries have ended.
  watched_from timestamptz,
  -- Failures after which an operator has said that it may go on.
  forgiven integer not null default 0,
  origin json not null,
  holder text,
  -- When it is to be carried on by who comes first: a lease, while somebody does.
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  constraint upgrade_runs_end check ((finished_at is null) = (state in ('running', 'paused', 'cancelling')))
);

create index upgrade_runs_due on upgrade_runs (due_at) where finished_at is null;
create index upgrade_runs_made on upgrade_runs (created_at, id);

create table upgrade_items (
  run_id text not null references upgrade_runs on delete cascade,
  -- From 1: the first ones are the canaries.
  position integer not null,
  instance_id text not null,
  state text not null check (state in ('waiting', 'started', 'succeeded', 'failed', 'skipped')),
  -- Null, of one that is started: whether it was asked for is not known.
  operation_id text,
  reason text,
  -- Before which one that waits is not asked for.
  due_at timestamptz not null default now(),
  primary key (run_id, position)
);

create index upgrade_items_state on upgrade_items (run_id, state, position);

-- Rule: an instance is in one run at a time, so a run that is asked for twice is there once.
create unique index upgrade_items_open on upgrade_items (instance_id) where state in ('waiting', 'started');
