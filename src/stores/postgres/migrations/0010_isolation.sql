-- What keeps the programs of instances apart on a node, and whether it takes them where nothing does. A broker of before
-- tells nothing of either, and goes on as it was.
alter table nodes
  add column isolation text not null default 'none',
  add column allows_unisolated boolean not null default true,
  add constraint nodes_isolation check (isolation in ('accounts+sandbox', 'accounts', 'sandbox', 'none'));
