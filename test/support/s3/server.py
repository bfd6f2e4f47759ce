"""OpenStack Swift with its S3 API, all of it in one process: in a folder that is given, on ports of loopback that are free."""

import eventlet

eventlet.monkey_patch()

import os
import pwd
import sys

import eventlet.wsgi
from swift.common import wsgi
from swift.common.ring.builder import RingBuilder

home, access_key, secret = sys.argv[1:]
user = pwd.getpwuid(os.getuid()).pw_name
common = f"""
[DEFAULT]
devices = {home}/devices
mount_check = false
swift_dir = {home}
user = {user}
workers = 0
disable_fallocate = true
fallocate_reserve = 0
"""
account, name = access_key.split(':')
proxy = f"""{common}
[pipeline:main]
pipeline = catch_errors listing_formats s3api tempauth slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{name} = {secret} .admin
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
"""


def app(kind, text):
    path = f'{home}/{kind}.conf'
    with open(path, 'w') as file:
        file.write(text)
    return wsgi.loadapp(path)


class Cache:
    """What Swift asks of memcached, for one process."""

    def __init__(self):
        self.values = {}

    def get(self, key, **_options):
        return self.values.get(key)

    def set(self, key, value, **_options):
        self.values[key] = value

    def delete(self, key, **_options):
        self.values.pop(key, None)


def with_cache(application):
    cache = Cache()

    def cached(env, start_response):
        env['swift.cache'] = cache
        return application(env, start_response)

    return cached


def serve(socket, application):
    eventlet.spawn(eventlet.wsgi.server, socket, application, log=open(os.devnull, 'w'), log_output=False)


sockets = {}
for kind in ('account', 'container', 'object'):
    os.makedirs(f'{home}/devices/{kind}', exist_ok=True)
    sockets[kind] = eventlet.listen(('127.0.0.1', 0))
    ring = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    place = {'ip': '127.0.0.1', 'port': sockets[kind].getsockname()[1], 'device': kind}
    ring.add_dev({'region': 1, 'zone': 1, 'weight': 1, **place})
    ring.rebalance()
    ring.get_ring().save(f'{home}/{kind}.ring.gz')
for kind, socket in sockets.items():
    serve(socket, app(kind, f'{common}\n[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n'))
front = eventlet.listen(('127.0.0.1', 0))
serve(front, with_cache(app('proxy', proxy)))
print(f'listens on {front.getsockname()[1]}', flush=True)
# It ends with whoever has started it.
eventlet.tpool.execute(sys.stdin.read)
