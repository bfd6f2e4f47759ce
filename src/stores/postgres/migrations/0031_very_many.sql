-- By what is asked for among very many.
create index operations_of_kind on operations (kind, created_at, seq);
create index operations_of_offering on operations (offering_id, created_at, seq);
create index service_bindings_busy on service_bindings (instance_id, id) where operation_id is not null;
create index service_instances_of_key on service_instances (key) where key is not null;
create index service_instances_without_key on service_instances (id) where key is null;

-- Where somebody is to look: the node of the instance; empty, any broker may. A broker of before leaves it empty, which
-- all look at.
alter table instance_checks add column place text not null default '';
update instance_checks c set place = i.node from service_instances i where i.id = c.instance_id and i.node is not null;
create index instance_checks_due_at_place on instance_checks (place, due_at);
drop index instance_checks_due;
