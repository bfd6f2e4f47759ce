-- Who has done what, to what, and how it ended: written with the deed, or before it. Times are the database's own.
create table audit_trail (
  -- That of the operation, where it is one.
  id text primary key,
  at timestamptz not null default now(),
  broker text not null,
  protocol text not null,
  -- Null: the broker itself.
  principal text,
  request_id text,
  verb text not null,
  object_kind text not null,
  -- Null: it is the instance itself.
  object_id text,
  instance_id text,
  -- As JSON, never with a secret or with the value of a parameter.
  before json,
  after json,
  -- Null: it goes on, or its broker died meanwhile.
  outcome text check (outcome in ('succeeded', 'failed', 'refused')),
  ended_at timestamptz,
  reason text,
  result json,
  -- Data of persons, sealed as everything of this name.
  confidential text not null,
  constraint audit_trail_object check (object_id is not null or instance_id is not null)
);

-- One for each order in which it is read; those that did not succeed are few.
create index audit_trail_at on audit_trail (at, id);
create index audit_trail_verb on audit_trail (verb, at, id);
create index audit_trail_principal on audit_trail (principal, at, id) where principal is not null;
create index audit_trail_instance on audit_trail (instance_id, at, id) where instance_id is not null;
create index audit_trail_object on audit_trail (object_id, at, id) where object_id is not null;
create index audit_trail_trouble on audit_trail (at, id) where outcome <> 'succeeded';

-- Rule: what is written stays. How it ended is added once, what is sealed is sealed under another key, and nothing
-- goes before it is a day old. Who owns the tables can take the rule away; nobody breaks it by mistake.
create function audit_trail_stays() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.at > now() - interval '1 day' then
      raise exception 'What is younger than a day stays in the audit trail.';
    end if;
    return old;
  end if;
  if row(new.id, new.at, new.broker, new.protocol, new.principal, new.request_id, new.verb, new.object_kind,
      new.object_id, new.instance_id, new.before::text, new.after::text)
    is distinct from row(old.id, old.at, old.broker, old.protocol, old.principal, old.request_id, old.verb,
      old.object_kind, old.object_id, old.instance_id, old.before::text, old.after::text)
    or (old.outcome is not null and row(new.outcome, new.ended_at, new.reason, new.result::text)
      is distinct from row(old.outcome, old.ended_at, old.reason, old.result::text))
  then
    raise exception 'What stands in the audit trail is not changed.';
  end if;
  return new;
end $$;

create trigger audit_trail_stays before update or delete on audit_trail
  for each row execute function audit_trail_stays();

create function audit_trail_is_not_emptied() returns trigger language plpgsql as $$
begin
  raise exception 'The audit trail is not emptied.';
end $$;

create trigger audit_trail_is_not_emptied before truncate on audit_trail
  for each statement execute function audit_trail_is_not_emptied();
