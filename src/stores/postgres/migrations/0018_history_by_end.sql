-- For what removes the history of operations that ended long ago: without it, each time all of them are read.
create index operations_finished on operations (finished_at) where finished_at is not null;
