-- One row, made once: objects in clusters carry it, so that those of a broker with another database are not ours.
create table kubernetes_installation (
  only_one boolean primary key default true check (only_one),
  id text not null
);

insert into kubernetes_installation (id) values (md5(random()::text || clock_timestamp()::text));
