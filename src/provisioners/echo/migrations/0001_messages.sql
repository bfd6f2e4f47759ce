-- How many messages an instance has had, also those that are no longer kept. The row goes with its instance,
-- so deprovisioning forgets everything in the same statement.
create table echo_counts (
  instance_id text primary key references service_instances (id) on delete cascade,
  messages bigint not null
);

-- The newest messages, numbered from 1 within their instance. The binding is a name only: a message stays
-- when the binding that sent it is gone.
create table echo_messages (
  instance_id text not null references echo_counts (instance_id) on delete cascade,
  number bigint not null,
  binding_id text not null,
  -- JSON text, possibly cut; JSON escapes the characters that Postgres cannot store.
  message text not null,
  received_at timestamptz not null default now(),
  primary key (instance_id, number)
);
