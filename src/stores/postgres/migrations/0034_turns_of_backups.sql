-- When an instance was backed up last because it was due; a broker has the next turn for a while.
create table backup_turns (
  instance_id text primary key references service_instances (id) on delete cascade,
  -- The time that it was due at, not when it was done, so that due times do not wander. Absent: it never was.
  last_at timestamptz,
  taken_until timestamptz
);
create index backups_being_removed on backups (id) where removing;
