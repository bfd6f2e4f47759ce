-- What exists already becomes an instance.
alter table operations
  drop constraint operations_kind,
  -- Rule: a bind and an unbind are of a binding, the others of the instance itself.
  add constraint operations_kind check (case when binding_id is null
    then kind in
      ('provision', 'update', 'deprovision', 'start', 'stop', 'restart', 'backup', 'restore', 'action', 'adopt')
    else kind in ('bind', 'unbind') end);

-- Rule: a thing is of one instance. Keys that are made are new each time; that of a thing that is adopted is the thing's.
drop index service_instances_of_key;
create unique index service_instances_of_key on service_instances (key) where key is not null;
