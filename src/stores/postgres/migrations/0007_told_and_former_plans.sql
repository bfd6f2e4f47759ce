alter table operations
  -- Its failure, if it fails, is told by last_operation only, which has not told it yet. False for those that were
  -- opened before, or are opened by a broker that does not know of this: a repeated request starts anew, as it did.
  add column untold boolean not null default false;

alter table service_instances
  -- The plans that it has had, or was to get, beside the one that it has: a JSON array of ids; null: none. Platforms
  -- go on naming the plan from before an update whose answer they have lost.
  add column former_plans json;

-- What is still remembered of instances that were made before this.
update service_instances i set former_plans = (
  select json_agg(distinct o.plan_id) from operations o where o.instance_id = i.id and o.plan_id <> i.plan_id);
