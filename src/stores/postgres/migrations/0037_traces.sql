-- By which whoever runs an operation goes on with the trace in which it was opened.
alter table operations add column carrier json;
