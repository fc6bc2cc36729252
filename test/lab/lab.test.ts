/** The lab itself: machines that boot, can be cut off and come back, and leave nothing when they are taken away. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { demand, execute } from './execution.ts'
import { compareFileTrees, readFileTree } from './file-tree.ts'
import {
  cut,
  down,
  fromOutside,
  hostAddressOf,
  list,
  type Machine,
  memoryKillsOf,
  reboot,
  run,
  straysFrom,
  up,
} from './machine.ts'
import { machineAddress6, proxyPort } from './network.ts'
import { startUpstream } from './upstream.ts'
import { askedBy } from './vendor/setting.ts'

const lab = join(import.meta.dirname, 'lab')

/** All that the host could still hold of a machine: mounts, namespaces, interfaces, rules, groups, processes, files. */
async function tracesOf(names: readonly string[]): Promise<string> {
  const traces = await Promise.all([
    readFile('/proc/self/mounts', 'utf8'),
    demand(['ip', 'netns', 'list']),
    demand(['ip', '-brief', 'link']),
    execute(['nft', 'list', 'ruleset']).then(({ stdout }) => stdout),
    demand(['find', '/run/systemd/nspawn', '/sys/fs/cgroup', '-maxdepth', '2', '-name', 'tpl-*']),
    demand(['ps', '-eo', 'args']),
    list().then((machines) => JSON.stringify(machines)),
  ])
  const mark = new RegExp(names.join('|'))
  return traces.flatMap((text) => text.split('\n').filter((line) => mark.test(line))).join('\n')
}

/** Runs a program that connects to a port as from elsewhere, and gives `open` or the error's code. */
async function knock(address: string, port: number): Promise<string> {
  const program = `require('node:net').connect({ host: '${address}', port: ${port} }).on('connect', () => { console.log('open'); process.exit() }).on('error', (error) => console.log(error.code))`
  return (await fromOutside([process.execPath, '-e', program])).stdout.trim()
}

async function ssh(
  machine: Machine,
  command: string,
  knownHosts = machine.knownHosts,
): Promise<{ code: number; stdout: string }> {
  const options = ['-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'BatchMode=yes']
  return execute(['ssh', ...options, '-i', machine.key, `${machine.user}@${machine.address}`, command])
}

describe('a machine', () => {
  const name = 'lab-test-one'
  let machine: Machine
  before(async () => {
    await down(name)
    machine = await up(name)
  })
  after(() => down(name))

  test('boots with all of its units in order, bare', async () => {
    assert.equal((await run(machine, 'systemctl is-system-running --wait')).stdout, 'running\n')
    assert.equal((await run(machine, 'command -v docker node caddy; ls /usr/lib/*/libatomic.so.1')).stdout, '')
    assert.equal((await run(machine, 'hostname; echo $HOME; tty')).stdout, `${name}\n/root\nnot a tty\n`)
  })

  test('is reached over SSH by its own host key only', async () => {
    assert.deepEqual(await ssh(machine, 'echo there; exit 7').then(({ code, stdout }) => [code, stdout]), [
      7,
      'there\n',
    ])
    assert.equal((await ssh(machine, 'true', '/dev/null')).code, 255)
  })

  test('installs packages from its distribution', async () => {
    const output = await run(
      machine,
      'apt-get update -q && apt-get install -y -q --no-install-recommends jq && echo "[1]" | jq .[0]',
    )
    assert.equal(output.stdout.trim().split('\n').at(-1), '1', output.stderr)
  })

  const rows: readonly Readonly<{
    words: readonly string[]
    stdin: string
    code: number
    stdout: string
    stderr: string
  }>[] = [
    { words: ['true'], stdin: '', code: 0, stdout: '', stderr: '' },
    { words: ['sh', '-c', 'exit 3'], stdin: '', code: 3, stdout: '', stderr: '' },
    { words: ['echo out; echo err >&2; exit 40'], stdin: '', code: 40, stdout: 'out\n', stderr: 'err\n' },
    { words: ['cat'], stdin: 'through\n', code: 0, stdout: 'through\n', stderr: '' },
    { words: ['printf', '%s|', 'a b', '$HOME', ''], stdin: '', code: 0, stdout: 'a b|$HOME||', stderr: '' },
    {
      words: ['no-such-program'],
      stdin: '',
      code: 127,
      stdout: '',
      stderr: 'env: ‘no-such-program’: No such file or directory\n',
    },
  ]
  for (const { words, stdin, ...said } of rows) {
    test(`lab run passes on streams and exit code: ${words.join(' ')}`, async () => {
      assert.deepEqual(await execute([lab, 'run', name, ...words], { stdin }), said)
    })
  }

  test('is known from outside by its open ports, over IPv4 and IPv6', async () => {
    const { number } = JSON.parse(await readFile(join(machine.key, '../machine.json'), 'utf8')) as { number: number }
    for (const address of [machine.address, machineAddress6(number)]) {
      assert.deepEqual([await knock(address, 22), await knock(address, 5432)], ['open', 'ECONNREFUSED'])
    }
  })

  test('reaches a model server on this host, which writes down what came', async () => {
    const record = join(machine.key, '../upstream.jsonl')
    const upstream = await startUpstream({ host: await hostAddressOf(machine), record })
    const ask = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'good day' }] })
    const output = await run(machine, ['curl', '-sS', `${upstream.url}/chat/completions`, '-d', '@-'], { stdin: ask })
    await upstream.stop()
    const pieces = [...output.stdout.matchAll(/"delta":\{"content":"([^"]*)"\}/g)].map(([, piece]) => piece)
    assert.deepEqual(pieces, ['You ', 'said: ', 'good ', 'day'])
    assert.match(output.stdout, /\ndata: \[DONE\]\n\n$/)
    assert.deepEqual(
      (await upstream.received()).map((line) => line.event === 'call' && line.body),
      [ask],
    )
  })

  test('shows each changed file', async () => {
    const folders = ['/etc', '/root', '/var/lib/dpkg']
    const was = await readFileTree(machine, folders)
    await run(machine, 'echo x > /root/new; chmod 600 /etc/hosts; rm /etc/motd; ln -sf elsewhere /root/link')
    const changes = compareFileTrees(was, await readFileTree(machine, folders))
    assert.deepEqual(
      changes.map((line) => line.replaceAll(/\b[0-9a-f]{64}\b/g, 'SUM')),
      [
        '~ /etc/hosts f 644 root:root SUM → f 600 root:root SUM',
        '- /etc/motd f 644 root:root SUM',
        '+ /root/link l 777 root:root elsewhere',
        '+ /root/new f 644 root:root SUM',
      ],
    )
  })

  test('loses its processes and keeps its files in a power cut', async () => {
    await run(machine, 'echo kept > /root/kept; echo kept > /var/lib/kept; systemd-run --unit=long sleep 4444')
    await cut(name)
    assert.equal((await execute(['pgrep', '-fx', '/usr/bin/sleep 4444'])).stdout, '')
    assert.deepEqual((await list()).find((each) => each.name === name)?.state, 'off')
    await assert.rejects(run(machine, 'true'), /is off/)
    const again = await up(name)
    assert.notEqual(again.pid, machine.pid)
    assert.deepEqual({ ...again, pid: 0 }, { ...machine, pid: 0 })
    assert.equal((await ssh(again, 'cat /root/kept /var/lib/kept')).stdout, 'kept\nkept\n')
  })

  test('reboots, when it is told to from outside and from inside', async () => {
    const boots = new Set<string>()
    const note = async (): Promise<void> =>
      void boots.add((await run(machine, 'cat /proc/sys/kernel/random/boot_id')).stdout)
    await note()
    const { pid } = await reboot(name)
    await note()
    await run(machine, 'systemctl reboot')
    let again = pid
    for (let attempt = 0; again === pid && attempt < 600; attempt += 1) {
      await pause(100)
      again = (await up(name)).pid
    }
    await note()
    assert.equal(boots.size, 3)
  })
})

test('three machines that are made at once are kept apart', async () => {
  const names = ['lab-test-a', 'lab-test-b', 'lab-test-c']
  await Promise.all(names.map(down))
  try {
    const machines = await Promise.all(names.map((name) => up(name)))
    assert.equal(new Set(machines.map(({ address }) => address)).size, 3)
    const ids = await Promise.all(
      machines.map((machine) => run(machine, 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub')),
    )
    assert.equal(new Set(ids.map(({ stdout }) => stdout)).size, 3)
    await cut('lab-test-a')
    assert.equal((await run({ name: 'lab-test-b' }, 'systemctl is-system-running --wait')).stdout, 'running\n')
  } finally {
    await Promise.all(names.map(down))
  }
  assert.equal(await tracesOf(names), '')
})

test('a machine whose making was cut off anywhere is completed by the next `up`, or taken away', async () => {
  const name = 'lab-test-cut'
  await down(name)
  const program = [process.execPath, join(import.meta.dirname, 'lab.ts')] as const
  for (const timeoutMs of [100, 200, 300, 400, 500, 600]) {
    await execute([...program, 'up', name], { timeoutMs })
    const machine = await up(name)
    assert.equal((await ssh(machine, 'systemctl is-system-running --wait')).stdout, 'running\n')
    await execute([...program, 'down', name], { timeoutMs })
    await down(name)
    assert.equal(await tracesOf([name]), '')
  }
})

test('an air-gapped machine reaches this host, is refused at once elsewhere, and leaves nothing', async () => {
  const name = 'lab-test-alone'
  await down(name)
  const machine = await up(name, { isAirGapped: true })
  const { number } = JSON.parse(await readFile(join(machine.key, '../machine.json'), 'utf8')) as { number: number }
  assert.equal((await run(machine, 'curl -sS -m 30 http://192.0.2.1/')).code, 7)
  const upstream = await startUpstream({ host: await hostAddressOf(machine), record: '/dev/null' })
  assert.match((await run(machine, `curl -sS ${upstream.url}/models`)).stdout, /"object":"list"/)
  await upstream.stop()
  assert.equal(await down(name), true)
  assert.equal(await tracesOf([name, `tpl-${number}\\b`, `10\\.77\\.${number}\\.`]), '')
  assert.equal(await down(name), false)
})

test('a machine behind a proxy, with vendors and little memory, has these also after a reboot, and leaves nothing', async () => {
  const name = 'lab-test-between'
  await down(name)
  const machine = await up(name, { hasVendors: true, isProxied: true, memoryMegabytes: 512 })
  const proxy = `http://${await hostAddressOf(machine)}:${proxyPort}`
  const { number } = JSON.parse(await readFile(join(machine.key, '../machine.json'), 'utf8')) as { number: number }
  const ask = `curl -sS -m 30 -o /dev/null -w '%{http_code}' -x ${proxy} https://nodejs.org/no-such-file`
  for (const isAgain of [false, true]) {
    if (isAgain) await reboot(name)
    assert.deepEqual(await run(machine, ask), { code: 0, stdout: '404', stderr: '' })
    assert.equal((await run(machine, "grep -o 'MemTotal.*' /proc/meminfo")).stdout, 'MemTotal:       524288 kB\n')
  }
  assert.deepEqual(await straysFrom(machine), [])
  assert.equal((await run(machine, 'curl -sS -m 30 http://192.0.2.1:8080/')).code, 7)
  assert.equal((await run(machine, `curl -sS -m 30 https://${await hostAddressOf(machine)}/`)).code, 7)
  assert.deepEqual((await straysFrom(machine)).toSorted(), [`10.77.${number}.1 6 443`, '192.0.2.1 6 8080'])
  assert.equal(await memoryKillsOf(machine), 0)
  assert.notEqual((await run(machine, "python3 -c 'x = bytearray(700 << 20)'")).code, 0)
  assert.equal(await memoryKillsOf(machine), 1)
  assert.deepEqual(
    (await askedBy(machine)).map(({ by, address }) => `${by} ${address}`),
    Array.from({ length: 2 }, () => ['connect nodejs.org:443', 'https nodejs.org/no-such-file']).flat(),
  )
  assert.equal(await down(name), true)
  assert.equal(await tracesOf([name, `tpl-${number}\\b`, `tappass_lab_${number}\\b`, `10\\.77\\.${number}\\.`]), '')
})

test('a machine without IPv4 reaches Debian by this host, and the vendors under their names', async () => {
  const name = 'lab-test-six'
  await down(name)
  const machine = await up(name, { hasVendors: true, isIpv6Only: true })
  assert.equal(await hostAddressOf(machine), machine.address.replace(/2$/, '1'))
  assert.match((await run(machine, 'ip -oneline -4 address')).stdout, /^1: lo .*\n$/)
  const install = await run(machine, 'apt-get update -q && apt-get install -yq --no-install-recommends jq && jq -n 1')
  assert.equal(install.stdout.trim().split('\n').at(-1), '1', install.stderr)
  const ask = (url: string) => run(machine, `curl -sS -m 30 -o /dev/null -w '%{http_code}' ${url}`)
  assert.equal((await ask('https://github.com/')).stdout, '404')
  assert.equal((await ask('https://registry-1.docker.io/v2/')).stdout, '401')
  assert.equal((await ask('http://192.0.2.1/')).code, 7)
  await down(name)
})
