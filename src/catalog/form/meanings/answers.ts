/** What is answered. */
export const answerMeanings: Readonly<Record<string, string>> = {
  credentials:
    'All that a binding returns to the application. A bindable plan of an offering without `requires` has them. Flat texts travel best: some platforms drop numbers and lists, Kubernetes wants keys of letters, digits, `-`, `_` and `.`',
  credentials_type:
    'What they are for, as the Service Binding Specification calls it: `redis`, `mysql`, `postgresql`, `rabbitmq`. They are given by all names that libraries look for, see below',
  dashboard:
    "The address of an instance's page, see below; `false`: it has none. Without it the broker's own page is told",
  syslog_drain_url: "Where the application's log goes; needs `syslog_drain` in `requires`",
  route_service_url:
    'Through where the requests of a route go, https; needs `route_forwarding` in `requires`',
  volume_mounts: "Volumes for the application's container; needs `volume_mount` in `requires`",
  'volume_mounts[].driver': 'The name of the volume driver',
  'volume_mounts[].container_dir': 'Where the volume appears',
  'volume_mounts[].mode': 'Read only, or read and write',
  'volume_mounts[].device_type': 'The only kind there is',
  'volume_mounts[].device': 'What the driver mounts',
  'volume_mounts[].device.volume_id': "The volume's id",
  'volume_mounts[].device.mount_config': 'Anything that the driver wants',
  endpoints: 'Addresses to which the platform should let the application through',
  'endpoints[].host': 'A host name, an address or a network',
  'endpoints[].ports': "Ports and ranges: `['443', '8000-8010']`",
  'endpoints[].protocol': 'The protocol',
  instance_metadata: 'What platforms show with an instance, to everybody: no secrets',
  'instance_metadata.labels': 'By which instances are found',
  'instance_metadata.attributes': 'Anything else',
  binding_metadata: 'How long a binding lasts',
  'binding_metadata.expires_after': 'From the bind to the end; then the broker removes it',
  'binding_metadata.renew_before':
    'How long before the end a new binding should be made; shorter than `expires_after`',
};

/** How operations run. */
export const operationMeanings: Readonly<Record<string, string>> = {
  tls: 'Do instances speak TLS, and do credentials name the authority of their certificate? See [TLS](#tls)',
  requires_app: 'Can it be bound to an application only, and not for a service key?',
  async:
    'The operations that are refused when the platform does not accept to wait; `required` means all five. With bind, `bindings_retrievable: true` is needed',
};
