-- What binds to an instance as tsuru names it, by name or by host, with the binding that it was given. The id of a
-- binding is a new one each time, so that a late removal can only ever hit the binding that it was about.
create table tsuru_apps (
  instance_id text not null references service_instances (id) on delete cascade,
  binding_id text not null,
  kind text not null check (kind in ('app', 'job')),
  -- As it was first told; the binding is for this app, whatever is learnt of it later.
  known_as text not null,
  name text,
  host text,
  -- Set: nobody has a stake in the binding any more, it is being removed.
  leaving_since timestamptz,
  primary key (instance_id, binding_id),
  constraint tsuru_apps_named check (name is not null or host is not null)
);

-- Rule: an app has one binding. A host counts only for an app whose name was never told.
create unique index tsuru_apps_by_name on tsuru_apps (instance_id, kind, name)
  where leaving_since is null and name is not null;
create unique index tsuru_apps_by_host on tsuru_apps (instance_id, kind, host)
  where leaving_since is null and name is null;

-- Who has a stake in a binding: each unit of the app that was bound, and the app as a whole. Units of one app may
-- have one host, so a host may stand here several times.
create table tsuru_stakes (
  number bigint generated always as identity primary key,
  instance_id text not null,
  binding_id text not null,
  -- Of the unit; null: the app as a whole.
  host text,
  -- One of the units on this host has gone, but tsuru did not say of which app.
  doubtful boolean not null default false,
  -- Until the bind is answered; a broker that died in between leaves no stake behind.
  pending_until timestamptz,
  foreign key (instance_id, binding_id) references tsuru_apps on delete cascade
);

create index tsuru_stakes_of_binding on tsuru_stakes (instance_id, binding_id);
create unique index tsuru_stakes_of_app on tsuru_stakes (instance_id, binding_id) where host is null;
