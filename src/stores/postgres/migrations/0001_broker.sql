-- What instances were made from, so that a plan which left the catalog can still be served.
create table plan_revisions (
  revision text primary key,
  offering_id text not null,
  plan_id text not null,
  -- json and not jsonb, here and below: jsonb refuses texts that users may send, such as \u0000.
  definition json not null,
  created_at timestamptz not null default now()
);

create table service_instances (
  id text primary key,
  -- Raised by every write that a decision on this instance must not overlook: who read an older one decides again.
  version integer not null,
  -- The open provision, update or deprovision. It stands here, and not only in operations, because Postgres looks at
  -- the newest state of the row it has waited for, but not of other rows.
  operation_id text,
  offering_id text not null,
  plan_id text not null,
  revision text not null,
  organization_guid text,
  space_guid text,
  context json not null,
  maintenance_version text,
  metadata json,
  ready boolean not null,
  -- JSON, mostly sealed; text, so that its key can be found without parsing what users sent.
  confidential text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table service_bindings (
  -- A binding never outlives its instance.
  instance_id text not null references service_instances (id) on delete cascade,
  id text not null,
  -- The open bind or unbind.
  operation_id text,
  app_guid text,
  route text,
  predecessor_id text,
  context json not null,
  ready boolean not null,
  expires_at timestamptz,
  renew_before timestamptz,
  confidential text not null,
  created_at timestamptz not null default now(),
  -- The same binding id may be in use under another instance.
  primary key (instance_id, id)
);

create index service_bindings_expiring on service_bindings (expires_at) where expires_at is not null;

-- Intent, queue entry and history in one row. No foreign key: history outlives what it tells of.
create table operations (
  id text primary key,
  -- The order in which operations were opened, whatever clocks say.
  seq bigint generated always as identity,
  kind text not null,
  instance_id text not null,
  binding_id text,
  offering_id text not null,
  plan_id text not null,
  state text not null,
  attempt integer not null,
  failures integer not null,
  holder text,
  follows text,
  note text,
  failure json,
  origin json not null,
  confidential text not null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  due_at timestamptz not null default now(),
  deadline timestamptz not null,
  -- Rule: a bind and an unbind are of a binding, the others of the instance itself.
  constraint operations_kind check (case when binding_id is null
    then kind in ('provision', 'update', 'deprovision') else kind in ('bind', 'unbind') end),
  -- Rule: an operation that has ended is held by nobody and remembers no secret.
  constraint operations_state check (case when state = 'in progress' then finished_at is null
    else state in ('succeeded', 'failed') and finished_at is not null and holder is null and confidential = '{}' end)
);

-- Rule: at most one open provision, update or deprovision of an instance.
create unique index operations_one_per_instance on operations (instance_id)
  where state = 'in progress' and binding_id is null;

-- Rule: at most one open bind or unbind of a binding; those of other bindings run beside it.
create unique index operations_one_per_binding on operations (instance_id, binding_id)
  where state = 'in progress' and binding_id is not null;

-- For those who claim, and for a step that makes its follower wait.
create index operations_due on operations (due_at) where state = 'in progress';
create index operations_following on operations (follows) where state = 'in progress' and follows is not null;
-- For the latest operation of a thing.
create index operations_history on operations (instance_id, binding_id, seq);

-- The keys that write, or wrote, what is confidential, so that none can be lost or mistaken for another unnoticed.
create table encryption_keys (
  id text primary key,
  -- A known text, sealed with the key.
  proof text not null
);
