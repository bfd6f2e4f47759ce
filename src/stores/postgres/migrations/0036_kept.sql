-- Until when an instance that was deleted is kept; null: it has not been deleted.
alter table service_instances add column kept_until timestamptz;
create index service_instances_kept on service_instances (kept_until) where kept_until is not null;
