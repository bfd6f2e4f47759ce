-- What a platform has of an offering is counted where an instance of it is made. It may have very many of others.
create index service_instances_of_platform_by_offering on service_instances (platform, offering_id)
  where platform is not null;
