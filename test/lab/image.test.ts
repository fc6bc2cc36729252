/** The images of the lab, run by a real Docker in a machine the way that the units run the vendors' images. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { ensureImage } from './image.ts'
import { down, type Machine, run, up } from './machine.ts'

describe('images', () => {
  const name = 'lab-test-image'
  let machine: Machine
  before(async () => {
    await down(name)
    const made = await Promise.all([up(name), ensureImage('postgres'), ensureImage('redis')])
    machine = made[0]
    const install = await run(
      machine,
      'apt-get update -q && apt-get install -y -q --no-install-recommends docker.io docker-cli containerd iptables',
    )
    assert.equal(install.code, 0, install.stderr)
    for (const path of made.slice(1) as string[]) {
      const load = await run(machine, ['docker', 'load'], { stdin: await readFile(path) })
      assert.equal(load.code, 0, load.stderr)
    }
  })
  after(() => down(name))

  test('PostgreSQL 16 runs as its own user, without network, on a read-only root, behind a socket', async () => {
    const script = `set -eu
      mkdir /srv/data /srv/run; chown 70:70 /srv/data /srv/run
      docker run --detach --name postgres --network none --user 70:70 --read-only --cap-drop ALL --tmpfs /tmp \\
        --tmpfs /var/lib/postgresql/data:ro --mount type=bind,source=/srv/data,target=/data --mount type=bind,source=/srv/run,target=/run/postgres \\
        postgres:16.15-alpine sh -c 'initdb -D /data/16 --username=postgres --auth-local=peer --encoding=UTF8 --locale=C --data-checksums &&
          exec postgres -D /data/16 -c listen_addresses= -c unix_socket_directories=/run/postgres'
      for attempt in $(seq 100); do docker exec postgres pg_isready -q -h /run/postgres && break; sleep 0.2; done
      docker exec postgres psql -h /run/postgres -U postgres -qAtc 'create table t as select 42 as n'
      docker exec postgres sh -c 'pg_dump -h /run/postgres -U postgres -Fc postgres > /tmp/dump && pg_restore --list /tmp/dump | grep -c "TABLE DATA public t"'
      docker exec postgres psql -h /run/postgres -U postgres -Atc "select current_setting('server_version_num')::int / 10000, n from t"
      docker exec postgres id -u`
    const output = await run(machine, script)
    assert.deepEqual(output.stdout.trim().split('\n').slice(-3), ['1', '16|42', '70'], output.stderr)
  })

  test('Redis 7 runs as its own user, without network, on a read-only root, behind a socket', async () => {
    const script = `set -eu
      mkdir /srv/redis; chown 999 /srv/redis
      docker run --detach --name redis --network none --user 999:999 --read-only --cap-drop ALL --tmpfs /data:ro \\
        --mount type=bind,source=/srv/redis,target=/run/redis redis:7.4.11-alpine redis-server --port 0 --save '' --unixsocket /run/redis/redis.sock
      for attempt in $(seq 100); do docker exec redis redis-cli -s /run/redis/redis.sock ping >/dev/null 2>&1 && break; sleep 0.2; done
      docker exec redis redis-cli -s /run/redis/redis.sock incr calls
      docker exec redis redis-cli -s /run/redis/redis.sock info server | grep -o 'redis_version:7'
      docker exec redis id -un`
    const output = await run(machine, script)
    assert.deepEqual(output.stdout.trim().split('\n').slice(-3), ['1', 'redis_version:7', 'redis'], output.stderr)
  })

  test('say that they are the lab’s', async () => {
    const format = '{{.Config.Labels.lab}}'
    const output = await run(machine, [
      'docker',
      'image',
      'inspect',
      '--format',
      format,
      'postgres:16.15-alpine',
      'redis:7.4.11-alpine',
    ])
    assert.equal(output.stdout, 'true\ntrue\n', output.stderr)
  })
})
