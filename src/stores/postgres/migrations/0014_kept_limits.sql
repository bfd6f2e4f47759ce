-- What keeps the limits of instances on a node, in words. A broker of before tells nothing of it.
alter table nodes add column limits text;
