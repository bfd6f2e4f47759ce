-- Backups of instances that are whole. They outlive their instances.
create table backups (
  id text primary key,
  -- Under which the bytes lie in the store of backups.
  name text not null,
  instance_id text not null,
  offering_id text not null,
  plan_id text not null,
  revision text not null,
  size bigint not null,
  sha256 text not null,
  protocol text not null,
  principal text,
  -- It is none any more, and its bytes are to be removed.
  removing boolean not null default false,
  created_at timestamptz not null default now()
);
create index backups_by_age on backups (created_at, id);
create index backups_of_instance on backups (instance_id, created_at, id);
create index backups_of_offering on backups (offering_id, created_at, id);

alter table operations
  drop constraint operations_kind,
  -- Rule: a bind and an unbind are of a binding, the others of the instance itself.
  add constraint operations_kind check (case when binding_id is null
    then kind in ('provision', 'update', 'deprovision', 'start', 'stop', 'restart', 'backup', 'restore')
    else kind in ('bind', 'unbind') end);
