-- With what the bytes of a backup are encrypted; sealed as all that is confidential.
alter table backups add column confidential text not null default '{}';
