-- Who is told by webhooks of what happens, and what is still to be told. It is written by triggers, so in the
-- transaction of the deed, whichever statement does it; they are disabled as long as no broker has a receiver.
create table webhook_receivers (
  name text primary key,
  -- Where it is told, without what may be secret in its address.
  target text not null,
  -- Null: all.
  events text[],
  -- By id; null: all.
  offerings text[],
  -- When a broker last had it.
  seen_at timestamptz not null default now()
);

create table webhook_deliveries (
  id text primary key default gen_random_uuid()::text,
  receiver text not null references webhook_receivers on delete cascade,
  event text not null,
  data json not null,
  state text not null default 'waiting' check (state in ('waiting', 'dead')),
  tries integer not null default 0,
  -- When it is to be delivered by who comes first: a lease, while somebody does.
  due_at timestamptz not null default now(),
  holder text,
  -- What the last try failed with.
  trouble text,
  created_at timestamptz not null default now(),
  -- From when on its day is counted: its begin, or when an operator had it tried again.
  since timestamptz not null default now()
);

create index webhook_deliveries_due on webhook_deliveries (receiver, due_at) where state = 'waiting';
create index webhook_deliveries_dead on webhook_deliveries (receiver, created_at, id) where state = 'dead';

-- What no broker has had for a day is told nothing more, lest it piles up.
create function tell_webhooks(told text, offering text, said json) returns void language sql as $$
  insert into webhook_deliveries (receiver, event, data)
  select r.name, told, said from webhook_receivers r
  where r.seen_at > now() - interval '1 day' and (r.events is null or told = any(r.events))
    and (r.offerings is null or offering = any(r.offerings))
$$;

create function tell_webhooks_of_operation() returns trigger language plpgsql as $$
begin
  perform tell_webhooks('operation.' || new.state, new.offering_id, json_build_object(
    'operation_id', new.id, 'kind', new.kind, 'state', new.state,
    'instance_id', new.instance_id, 'binding_id', new.binding_id,
    'offering_id', new.offering_id, 'plan_id', new.plan_id,
    'failure', case when new.failure is not null then json_build_object(
      'word', left(new.failure ->> 'word', 100), 'sentence', left(new.failure ->> 'sentence', 1000)) end,
    'protocol', new.origin ->> 'protocol', 'created_at', new.created_at, 'finished_at', new.finished_at));
  return null;
end $$;

create trigger webhooks_of_operations after update of state on operations
  for each row when (old.state = 'in progress' and new.state <> 'in progress')
  execute function tell_webhooks_of_operation();
-- Of what has ended when it is written.
create trigger webhooks_of_new_operations after insert on operations
  for each row when (new.state <> 'in progress') execute function tell_webhooks_of_operation();

-- The status of an instance is that of its worst unit.
create function worst_unit(seen json) returns json language sql immutable as $$
  select u from json_array_elements(seen -> 'units') u
  order by array_position(array['down', 'error', 'building', 'unreachable', 'stopped', 'started'], u ->> 'status')
  limit 1
$$;

create function tell_webhooks_of_status() returns trigger language plpgsql as $$
declare
  instance record;
begin
  select offering_id, plan_id into instance from service_instances where id = new.instance_id;
  perform tell_webhooks('instance.status', instance.offering_id, json_build_object(
    'instance_id', new.instance_id, 'offering_id', instance.offering_id, 'plan_id', instance.plan_id,
    'from', worst_unit(old.seen) ->> 'status', 'to', worst_unit(new.seen) ->> 'status',
    'reason', left(worst_unit(new.seen) ->> 'reason', 1000)));
  return null;
end $$;

create trigger webhooks_of_statuses after update of seen on instance_checks
  for each row when (worst_unit(old.seen) ->> 'status' <> worst_unit(new.seen) ->> 'status')
  execute function tell_webhooks_of_status();

alter table operations disable trigger webhooks_of_operations;
alter table operations disable trigger webhooks_of_new_operations;
alter table instance_checks disable trigger webhooks_of_statuses;
