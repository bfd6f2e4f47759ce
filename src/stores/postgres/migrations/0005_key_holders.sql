-- Brokers that live, and the encryption keys that each of them has, on the database's clock.
create table brokers (
  -- The process, as leases name it.
  id text primary key,
  -- How people know it.
  label text not null,
  -- Ids of keys in its own order: the first is the one that it would write with.
  keys json not null,
  -- The key that it writes with, for as long as somebody lacks the first.
  writes text not null,
  beat_at timestamptz not null default now()
);

-- Keys that a broker has been started with, also those that nothing was written with yet: so that two that are
-- different under one id are told apart before the first record, and none is used that is saved nowhere.
create table known_keys (
  id text primary key,
  -- A known text, sealed with the key.
  proof text not null
);

insert into known_keys (id, proof) select id, proof from encryption_keys;
