-- Nodes count what they have, so that nobody goes through it who places an instance, or asks. Triggers count, since also
-- brokers of before this write instances; what is of no node costs nothing.
alter table nodes
  -- Instances that are there, and the sum of what they take: of each what it costs, or will when its open operation has
  -- succeeded. A create that failed takes nothing.
  add column instances bigint not null default 0,
  add column used numeric not null default 0,
  -- Ports that instances have.
  add column ports_taken bigint not null default 0;

-- The cost of an operation never changes, so this gives the same before and after it was closed.
create function room_taken(ready boolean, operation text, cost numeric) returns numeric language sql stable as $$
  select case when ready or operation is not null
    then coalesce(greatest(cost, (select o.cost from operations o where o.id = operation)), 0) else 0 end;
$$;

-- Always the last lock of a transaction, and of one node, so nobody waits in a circle. Where the node was given up
-- with all that it had, there is nothing to count any more.
create function count_on_nodes() returns trigger language plpgsql as $$
declare
  before numeric := 0;
  after numeric := 0;
begin
  if tg_op <> 'INSERT' and old.node is not null then before := room_taken(old.ready, old.operation_id, old.cost); end if;
  if tg_op <> 'DELETE' and new.node is not null then after := room_taken(new.ready, new.operation_id, new.cost); end if;
  if tg_op = 'UPDATE' and old.node = new.node then
    if before <> after then update nodes set used = used + after - before where name = new.node; end if;
    return null;
  end if;
  if tg_op <> 'INSERT' then
    update nodes set instances = instances - 1, used = used - before where name = old.node;
  end if;
  if tg_op <> 'DELETE' then
    update nodes set instances = instances + 1, used = used + after where name = new.node;
  end if;
  return null;
end $$;
create trigger new_instances_on_nodes after insert on service_instances
  for each row when (new.node is not null) execute function count_on_nodes();
create trigger instances_on_nodes after update on service_instances
  for each row when ((old.node is not null or new.node is not null) and (old.node, old.cost, old.ready, old.operation_id)
    is distinct from (new.node, new.cost, new.ready, new.operation_id)) execute function count_on_nodes();
create trigger removed_instances_on_nodes after delete on service_instances
  for each row when (old.node is not null) execute function count_on_nodes();

create function count_ports() returns trigger language plpgsql as $$
begin
  if tg_op <> 'DELETE' and new.instance_id is not null then
    update nodes set ports_taken = ports_taken + 1 where name = new.node;
  end if;
  if tg_op <> 'INSERT' and old.instance_id is not null then
    update nodes set ports_taken = ports_taken - 1 where name = old.node;
  end if;
  return null;
end $$;
create trigger new_ports_of_nodes after insert on node_ports
  for each row when (new.instance_id is not null) execute function count_ports();
create trigger ports_of_nodes after update on node_ports
  for each row when ((old.instance_id is null) <> (new.instance_id is null)) execute function count_ports();
create trigger removed_ports_of_nodes after delete on node_ports
  for each row when (old.instance_id is not null) execute function count_ports();
create index node_ports_resting on node_ports (node, free_at) where free_at is not null;

create function recount_node(node_name text) returns void language sql as $$
  update nodes n set
    (instances, used) = (select count(*), coalesce(sum(room_taken(i.ready, i.operation_id, i.cost)), 0)
      from service_instances i where i.node = n.name),
    ports_taken = (select count(*) from node_ports p where p.node = n.name and p.instance_id is not null)
  where n.name = node_name;
$$;
-- What was left there by a node of this name. Who places something now either sees the node, or is seen.
create function count_on_new_node() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('purveyor placement', 0));
  perform recount_node(new.name);
  return null;
end $$;
create trigger new_nodes after insert on nodes for each row execute function count_on_new_node();

select recount_node(name) from nodes;
