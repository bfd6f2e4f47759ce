-- The same rules as before. Postgres reads the text of each with every statement: a list that is one value is read much
-- faster than one of many.
alter table operations
  drop constraint operations_kind,
  drop constraint operations_state,
  -- Rule: a bind and an unbind are of a binding, the others of the instance itself.
  add constraint operations_kind check (kind = any (case when binding_id is null
    then '{provision,update,deprovision,start,stop,restart,backup,restore,action,adopt}'::text[]
    else '{bind,unbind}'::text[] end)),
  -- Rule: an operation that has ended is held by nobody and remembers no secret.
  add constraint operations_state check (case when state = 'in progress' then finished_at is null
    else state = any ('{succeeded,failed}'::text[]) and finished_at is not null and holder is null
      and confidential = '{}' end);
alter table audit_trail
  drop constraint audit_trail_outcome_check,
  add constraint audit_trail_outcome_check check (outcome = any ('{succeeded,failed,refused}'::text[]));
