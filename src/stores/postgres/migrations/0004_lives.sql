-- An id may be used again, and what its former life has left somewhere must not be taken for its own: so what is made
-- for an instance or binding is named by a key of its own.
alter table service_instances
  -- Null: made by broker 0.1.0, which named things by the id alone.
  add column key text,
  -- The instance was on a node that was given up, and has not been made anew since; null: it was not.
  add column lost_node text,
  add column lost_at timestamptz,
  -- The key of the life that was lost.
  add column lost_key text,
  add constraint service_instances_lost check ((lost_node is null) = (lost_at is null));

alter table service_bindings
  -- As that of an instance.
  add column key text;
