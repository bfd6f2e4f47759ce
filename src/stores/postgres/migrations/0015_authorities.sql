-- What signs the certificates of instances, for all brokers of this database. `confidential` is JSON with certificate
-- and key, sealed as everything of this name. Who makes the next generation at once with others finds theirs.
create table authorities (
  generation text primary key check (generation ~ '^[1-9][0-9]*$'),
  confidential text not null
);
