-- Whose an instance is, out of its context, so that lists can be asked for it however many there are. Texts are cut to
-- what an index takes.
alter table service_instances
  add column platform text,
  add column organization text,
  add column space text;

-- What cannot be a text of Postgres stays unlisted.
update service_instances set
  platform = left(context->>'platform', 200),
  organization = left(coalesce(context->>'organization_name', context->>'team', context->>'clusterid'), 200),
  space = left(coalesce(context->>'space_name', context->>'namespace'), 200)
where context::text !~* '\\u(0000|d[89a-f])' and json_typeof(context) = 'object';

-- Each with the id, by which lists are in order.
create index service_instances_of_plan on service_instances (offering_id, plan_id, id);
create index service_instances_of_platform on service_instances (platform, id) where platform is not null;
create index service_instances_of_organization on service_instances (organization, id)
  where organization is not null;
create index service_instances_of_organization_guid on service_instances (left(organization_guid, 200), id)
  where organization_guid is not null;
create index service_instances_of_space on service_instances (space, id) where space is not null;
create index service_instances_of_space_guid on service_instances (left(space_guid, 200), id)
  where space_guid is not null;
create index service_instances_on_node on service_instances (node, id) where node is not null;
drop index service_instances_of_node;
create index service_instances_by_age on service_instances (created_at);
create index service_instances_of_revision on service_instances (revision, id);
create index service_instances_unready on service_instances (id) where not ready;

create index operations_by_age on operations (created_at, seq);
create index operations_failed on operations (created_at, seq) where state = 'failed';
create index operations_open on operations (created_at, seq) where state = 'in progress';
