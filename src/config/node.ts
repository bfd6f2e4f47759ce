import { imageList } from './image-list.ts';
import { optional, standard } from './option.ts';
import {
  directoryList,
  hostName,
  nodeName,
  oneOf,
  path,
  portRange,
  systemUser,
  userRange,
  webAddress,
  wholeNumber,
  yesOrNo,
} from './kinds.ts';

/** Options of a broker that makes things on its own machine. */
export const nodeOptions = {
  // Not NODE: npm sets that one to the path of the node program.
  node: optional(
    'NODE_ROLE',
    yesOrNo(),
    'true on Linux; false where VCAP_APPLICATION is set, as platforms do, and with WORKERS=0',
    'Make things on this machine too: processes, directories, what commands make.',
  ),
  nodeName: optional(
    'NODE_NAME',
    nodeName(),
    'the name of the host',
    'Name of this node, unlike that of every other broker on the database; instances stay with it.',
  ),
  nodeHost: standard(
    'NODE_HOST',
    hostName(),
    '127.0.0.1',
    'Address under which applications reach what runs on this node.',
  ),
  nodeBind: optional(
    'NODE_BIND',
    hostName(),
    'NODE_HOST',
    'Address that programs on this node listen on, `{{node.bind}}` in offering files.',
  ),
  nodeUrl: optional(
    'NODE_URL',
    webAddress(),
    'http:// (https:// with TLS_CERT), NODE_HOST and the port',
    "Where the other brokers on the database reach the operator API of this one. They send the operator's login there: between machines let it be https.",
  ),
  nodeDir: optional(
    'NODE_DIR',
    path(),
    'node in DATA_DIR',
    'Directory of all that is made on this node; instances are lost without it.',
  ),
  nodePorts: standard(
    'NODE_PORTS',
    portRange(),
    '20000-24999',
    'Ports that programs on this node may have, outside those that the system itself hands out.',
  ),
  nodeCapacity: standard(
    'NODE_CAPACITY',
    wholeNumber(0, 1_000_000),
    '100',
    'Sum of the costs of the instances that this node takes.',
  ),
  nodeUser: optional(
    'NODE_USER',
    systemUser(),
    "nobody when root runs the broker, else the broker's own user",
    'User who owns the directories of this node, and runs what has no user of its own: all of it, when NODE_USERS is not set.',
  ),
  nodeUsers: optional(
    'NODE_USERS',
    userRange(),
    '4096 that no other node of the machine has, when root runs the broker; else none',
    'Numbers of users, of which each new instance that runs programs gets one of its own, where root runs the broker: 200000-265535. Nothing else may have them.',
  ),
  nodeSandbox: standard(
    'NODE_SANDBOX',
    oneOf('auto', 'off', 'required'),
    'auto',
    'Shut the programs of each instance into a sandbox by bwrap: where it works (auto), never (off), or else be no node (required).',
  ),
  nodeSandboxReads: optional(
    'NODE_SANDBOX_READS',
    directoryList(),
    'none',
    'Directories that programs in a sandbox may read beside the system and their own, with colons between them.',
  ),
  nodeContainers: optional(
    'NODE_CONTAINERS',
    path(),
    'none',
    'Unix socket of an engine on this machine that speaks the Docker API, such as /run/docker.sock: with it the node makes containers.',
  ),
  nodeImages: optional(
    'NODE_IMAGES',
    imageList(),
    'all that the engine has',
    'Images that containers may be made from, with commas between them; a name that ends in * stands for all that begin so.',
  ),
  nodePull: standard(
    'NODE_PULL',
    yesOrNo(),
    'false',
    'Fetch images that the engine does not have: those of what is on sale ahead, others when they are needed. Only what NODE_IMAGES allows.',
  ),
  nodeRegistryLogins: optional(
    'NODE_REGISTRY_LOGINS',
    path(),
    'none',
    'File with the logins of registries, as `docker login` writes it (`~/.docker/config.json`).',
  ),
  allowUnisolated: optional(
    'ALLOW_UNISOLATED',
    yesOrNo(),
    'true with the embedded database and HOST on loopback, else false',
    'Sell what runs programs for tenants, though neither accounts nor a sandbox keep them apart on this node.',
  ),
  checks: standard('CHECKS', wholeNumber(1, 1000), '64', 'Instances whose units are looked at, at once.'),
};
