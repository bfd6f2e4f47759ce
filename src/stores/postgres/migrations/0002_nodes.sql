-- Brokers that carry local things: each tells of itself by a heartbeat.
create table nodes (
  name text primary key,
  host text not null,
  url text not null,
  directory text not null,
  first_port integer not null,
  last_port integer not null,
  capacity numeric not null,
  executables json not null,
  draining boolean not null default false,
  -- The process that speaks for the node, and its machine: one of another machine may not while this one is fresh.
  holder text not null,
  machine text not null,
  beat_at timestamptz not null default now()
);

-- Rule: a port of a node belongs to one instance at a time.
create table node_ports (
  node text not null,
  port integer not null,
  -- Null: it rests until `free_at`, since it was given back or a stranger has it.
  instance_id text,
  name text,
  free_at timestamptz,
  primary key (node, port),
  constraint node_ports_owner check ((instance_id is null) = (free_at is not null)),
  constraint node_ports_name check ((instance_id is null) = (name is null))
);

create unique index node_ports_of_instance on node_ports (node, instance_id, name) where instance_id is not null;

alter table service_instances
  -- Where the instance is, when it is of a node; what it takes of the node's capacity.
  add column node text,
  add column cost numeric,
  -- Shall its units be at rest?
  add column stopped boolean not null default false,
  -- Units that shall be at rest though the others run; null: none.
  add column stopped_units json,
  -- Milliseconds between two looks at its units; null: nobody looks.
  add column check_every integer,
  -- The instance that it was made for.
  add column parent text,
  add constraint service_instances_place check ((node is null) = (cost is null));

create index service_instances_of_node on service_instances (node) where node is not null;

alter table service_bindings
  -- The instance that needs this one and holds it by this binding.
  add column dependent text;

create index service_bindings_dependent on service_bindings (instance_id) where dependent is not null;

alter table operations
  -- Only this node may carry it.
  add column node text,
  -- What its instance will take of the node when it has succeeded: held from the beginning.
  add column cost numeric,
  -- Why the last step failed, in words without secrets; null: none has since the last that did not.
  add column trouble text,
  drop constraint operations_kind,
  -- Rule: a bind and an unbind are of a binding, the others of the instance itself.
  add constraint operations_kind check (case when binding_id is null
    then kind in ('provision', 'update', 'deprovision', 'start', 'stop', 'restart')
    else kind in ('bind', 'unbind') end);

-- What an operation did, step by step.
create table operation_steps (
  operation_id text not null references operations (id) on delete cascade,
  number integer not null,
  step text not null,
  tries integer not null,
  undo boolean not null,
  ms integer not null,
  ended_at timestamptz not null default clock_timestamp(),
  primary key (operation_id, number)
);

-- What was last seen of an instance's units, and when somebody is to look again.
create table instance_checks (
  instance_id text primary key references service_instances (id) on delete cascade,
  due_at timestamptz not null,
  seen json
);

create index instance_checks_due on instance_checks (due_at);

-- Things that provisioners have found and for which there is no instance.
create table orphan_suspects (
  provisioner text not null,
  -- Empty: not of any node.
  node text not null,
  name text not null,
  instance_id text,
  key text,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  condemned boolean not null default false,
  primary key (provisioner, node, name)
);
