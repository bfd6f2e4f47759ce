-- What the trial has made, and what it remembers of its own faults, so that all brokers go by the same. Nothing refers
-- to the broker's own tables: what is left behind stays to be seen.
create table trial_records (
  -- Stands for one life of an instance.
  thing text not null,
  -- `instance`, `binding-…`, `tries-…` of an operation, `first-…` of its kind.
  part text not null,
  instance_id text not null,
  -- Null for what was made before instances had keys.
  instance_key text,
  plan_id text,
  binding_id text,
  -- How often an operation has been tried, and which one was the first of its kind.
  tries integer,
  operation_id text,
  primary key (thing, part)
);
