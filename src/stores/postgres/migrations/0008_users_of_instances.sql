-- Rule: a user that an instance runs as belongs to one instance at a time.
create table node_users (
  uid bigint primary key,
  -- Where it was last.
  node text not null,
  -- Null: nobody has it since `free_since`.
  owner text,
  free_since timestamptz,
  constraint node_users_owner check ((owner is null) = (free_since is not null))
);

create unique index node_users_of_instance on node_users (node, owner) where owner is not null;

-- As whom instances run there, for people; null: its broker does not tell.
alter table nodes add column accounts text;
