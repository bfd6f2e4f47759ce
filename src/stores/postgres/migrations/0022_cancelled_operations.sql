-- Why an operation in progress is to end as failed; null: it goes on.
alter table operations add column cancelled json;
