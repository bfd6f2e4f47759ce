-- By what bindings over all instances are asked for, each with the key by which the list is in order. What is longer than
-- an index takes is cut.
create index service_bindings_of_app on service_bindings (left(app_guid, 200), instance_id, id)
  where app_guid is not null;
create index service_bindings_unready on service_bindings (instance_id, id) where not ready;
create index service_bindings_by_age on service_bindings (created_at);
