-- What is due is found by an index: the plan of the instance, null while it is not ready, and when its last turn was, or
-- when it was made, both as they were when somebody looked last.
alter table backup_turns add column plan_id text, add column since timestamptz;
create index backup_turns_of_plan on backup_turns (plan_id, since) where plan_id is not null;
