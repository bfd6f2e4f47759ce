-- What offerings declare that operators can have done; of such an operation, which one it is.
alter table operations
  add column action text,
  drop constraint operations_kind,
  -- Rule: a bind and an unbind are of a binding, the others of the instance itself.
  add constraint operations_kind check (case when binding_id is null
    then kind in
      ('provision', 'update', 'deprovision', 'start', 'stop', 'restart', 'backup', 'restore', 'action')
    else kind in ('bind', 'unbind') end);
