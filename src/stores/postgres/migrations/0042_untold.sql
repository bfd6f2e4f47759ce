-- So that whoever looks for an instance sees at no cost whether a failure of its operations, or its bindings', is untold.
create index operations_untold on operations (instance_id) where state = 'failed' and untold;
