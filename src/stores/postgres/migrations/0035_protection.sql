-- From when on an instance is refused to be deleted; null: it may be.
alter table service_instances add column protected_from timestamptz;
