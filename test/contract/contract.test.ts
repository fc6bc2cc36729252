/** Texts that no program can import (units, templates, the Caddyfile) say what the contract says. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT_CODE, exitCodeOf } from '../../contract/exit-code.ts'
import { GATEWAY_HOST, GATEWAY_PORT, SPIFFE_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { credentialId, SECRET_NAMES, secretNameOf } from '../../contract/secret.ts'
import { ACCOUNT, gatewayInstance, gatewayInstances, UNIT } from '../../contract/unit.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const node = `${HOST_PATH.nodeProgram} --disable-warning=ExperimentalWarning`

const ROWS: readonly Readonly<{ file: string; says: readonly string[] }>[] = [
  {
    file: 'units/tappass.socket',
    says: [`ListenStream=${GATEWAY_HOST}:${GATEWAY_PORT}\n`, `Service=${gatewayInstance(1)}\n`],
  },
  {
    file: 'units/tappass-spiffe.socket',
    says: [
      `ListenStream=${GATEWAY_HOST}:${SPIFFE_PORT}\n`,
      `Service=${gatewayInstance(1)}\n`,
      'FileDescriptorName=spiffe\n',
    ],
  },
  {
    file: 'units/tappass-spire-server.service.hbs',
    says: [
      `User=${ACCOUNT.spireServer}\nGroup=${ACCOUNT.spireServer}\n`,
      `ExecStart=${HOST_PATH.currentSpire}/bin/spire-server run -config ${HOST_PATH.spireServerConfig}\n`,
      `healthcheck -socketPath ${HOST_PATH.spireServerSocket} `,
    ],
  },
  {
    file: 'units/tappass-spire-agent.service.hbs',
    says: [
      `User=${ACCOUNT.spireAgent}\nGroup=${ACCOUNT.spireAgent}\n`,
      `Wants=${UNIT.spireServer}\n`,
      `ExecStart=${HOST_PATH.currentSpire}/bin/spire-agent run -config ${HOST_PATH.spireAgentConfig}\n`,
      `healthcheck -socketPath ${HOST_PATH.spireAgentSocket} `,
    ],
  },
  {
    file: 'units/tappass-spiffe-helper.service.hbs',
    says: [
      `User=${ACCOUNT.spiffeHelper}\nGroup=${ACCOUNT.gateway}\n`,
      `Wants=${UNIT.spireAgent}\n`,
      `ExecStart=${HOST_PATH.currentSpiffeHelper}/spiffe-helper -config ${HOST_PATH.spiffeHelperConfig}\n`,
    ],
  },
  {
    file: 'templates/spire/server.conf.hbs',
    says: [`socket_path = "${HOST_PATH.spireServerSocket}"`, `data_dir = "${HOST_PATH.spireServerFolder}"`],
  },
  {
    file: 'templates/spire/agent.conf.hbs',
    says: [
      `socket_path = "${HOST_PATH.spireAgentSocket}"`,
      `data_dir = "${HOST_PATH.spireAgentFolder}"`,
      `trust_bundle_path = "${HOST_PATH.spireBundle}"`,
    ],
  },
  {
    file: 'templates/spire/spiffe-helper.conf.hbs',
    says: [`agent_address = "${HOST_PATH.spireAgentSocket}"`, `cert_dir = "${HOST_PATH.svidFolder}"`],
  },
  { file: 'Caddyfile', says: [`{$TAPPASS_UPSTREAM:${GATEWAY_HOST}:${GATEWAY_PORT}}`] },
  {
    file: 'units/tappass@.service.hbs',
    says: [
      `User=${ACCOUNT.gateway}\nGroup=${ACCOUNT.gateway}\n`,
      'WorkingDirectory={{release}}\n',
      `EnvironmentFile=${HOST_PATH.gatewayEnvironment}\n`,
      `Wants={{storageUnits}}${UNIT.migrate}\n`,
      `Sockets=${UNIT.socket}\n`,
      `Sockets=${UNIT.spiffeSocket}\n`,
      'ExecStart={{node}}/bin/node --disable-warning=ExperimentalWarning ',
      `cat {{files}} >${HOST_PATH.revisionFolder}/%n.read`,
    ],
  },
  {
    file: 'units/tappass-migrate.service.hbs',
    says: [
      `User=${ACCOUNT.gateway}\nGroup=${ACCOUNT.gateway}\n`,
      'WorkingDirectory={{release}}\n',
      `EnvironmentFile=${HOST_PATH.gatewayEnvironment}\n`,
      `Wants=${UNIT.postgres}\n`,
      'ExecStart={{node}}/bin/node --disable-warning=ExperimentalWarning server/migrate.ts up',
    ],
  },
  {
    file: 'units/tappass-backup.service.hbs',
    says: [
      `WorkingDirectory=${HOST_PATH.currentRelease}\n`,
      ` ${HOST_PATH.backupFolder}/.lock \\\n  ${node} server/backup.ts create `,
      `ReadWritePaths=${HOST_PATH.backupFolder}\n`,
    ],
  },
  {
    file: 'units/tappass-drill.service.hbs',
    says: [
      `WorkingDirectory=${HOST_PATH.currentRelease}\n`,
      ` ${HOST_PATH.backupFolder}/.lock \\\n  ${node} server/drill.ts monthly `,
      `ReadWritePaths=${HOST_PATH.drillFolder} ${HOST_PATH.backupFolder}\n`,
    ],
  },
  {
    file: 'units/tappass-check.service.hbs',
    says: [
      `WorkingDirectory=${HOST_PATH.currentRelease}\n`,
      `SupplementaryGroups=${ACCOUNT.gateway}\n`,
      `ExecStart=${node} server/check.ts `,
      `--into ${HOST_PATH.checkFolder} `,
      `--svid ${HOST_PATH.svidFolder} `,
      `--disk ${HOST_PATH.programFolder} --disk ${HOST_PATH.stateFolder} `,
    ],
  },
  {
    file: 'units/tappass-drift.service.hbs',
    says: [`OnSuccess=${UNIT.repair}\n`, `ReadWritePaths=${HOST_PATH.driftFolder}\n`],
  },
  {
    file: 'units/tappass-repair.service.hbs',
    says: [`ConditionPathExists=${HOST_PATH.driftFolder}/repairable\n`],
  },
  {
    file: 'units/tappass-caddy.service.hbs',
    says: [
      `User=${ACCOUNT.caddy}\nGroup=${ACCOUNT.caddy}\n`,
      `EnvironmentFile=${HOST_PATH.caddyEnvironment}\n`,
      `ExecStart=${HOST_PATH.currentCaddy}/caddy run --config ${HOST_PATH.caddyfile} `,
    ],
  },
  {
    file: 'units/tappass-postgres.service.hbs',
    says: [
      `source=${HOST_PATH.postgresConfigFolder},`,
      `source=${HOST_PATH.postgresFolder},`,
      `source=${HOST_PATH.postgresSocketFolder},`,
      credentialId('POSTGRES_PASSWORD'),
      credentialId('POSTGRES_OWNER_PASSWORD'),
    ],
  },
  {
    file: 'units/tappass-redis.service.hbs',
    says: [`source=${HOST_PATH.redisConfigFolder},`, `source=${HOST_PATH.redisSocketFolder},`],
  },
  {
    file: 'templates/gateway.env.hbs',
    says: [
      `host=${HOST_PATH.postgresSocketFolder}\n`,
      `REDIS_URL=unix://${HOST_PATH.redisSocketFolder}/redis.sock?user=tappass\n`,
    ],
  },
  {
    file: 'templates/tmpfiles.conf.hbs',
    says: [HOST_PATH.runtimeFolder, HOST_PATH.revisionFolder].map((path) => `d ${path} 0755 root root `),
  },
  {
    file: 'templates/tmpfiles.conf.hbs',
    says: [
      `d ${HOST_PATH.postgresSocketFolder} 0750 {{postgresUid}} ${ACCOUNT.gateway} `,
      `d ${HOST_PATH.redisSocketFolder} 0750 {{redisUid}} ${ACCOUNT.gateway} `,
    ],
  },
  { file: 'templates/sudoers.hbs', says: [`systemctl start ${UNIT.target},`, `systemctl start ${UNIT.backup},`] },
]

for (const { file, says } of ROWS) {
  for (const text of says) {
    test(`${file} says ${text.trim()}`, () => assert.ok(read(file).includes(text)))
  }
}

for (const [name, own] of [
  ['tappass.socket', []],
  ['tappass-spiffe.socket', ['FileDescriptorName']],
] as const) {
  test(`${name} says only what a reload applies, for it is not opened again while instances hold it`, () => {
    const [, section = ''] = read(`units/${name}`).split('[Socket]\n')
    const keys = [...(section.split('[Install]')[0] ?? '').matchAll(/^(\w+)=/gm)].map(([, key]) => key)
    assert.deepEqual(keys, ['ListenStream', ...own, 'Service', 'TriggerLimitIntervalSec'])
  })
}

test('there is a file in units/ for every unit, and no other', () => {
  const files = readdirSync(join(root, 'units')).filter((name) => name.startsWith('tappass'))
  const names = files.map((name) => name.replace(/\.hbs$/, ''))
  assert.deepEqual(names.toSorted(), Object.values(UNIT).toSorted())
})

/** What units, templates and the Caddyfile say of our folders is a path of the contract, or below one that is no folder of folders. */
test('texts name no other path of ours', () => {
  const files = ['Caddyfile', ...['units', 'templates'].flatMap((folder) => listFiles(folder))]
  const known: readonly string[] = Object.values(HOST_PATH)
  const open = [HOST_PATH.configFolder, HOST_PATH.programFolder, HOST_PATH.stateFolder, HOST_PATH.runtimeFolder]
  const others = files.flatMap((file) =>
    [...read(file).matchAll(/\/(?:etc|opt|var\/lib|run)\/tappass[\w./-]*/g)]
      .map(([path]) => path.replace(/\.$/, ''))
      .filter(
        (path) =>
          !known.some((each) => path === each || (!open.includes(each as never) && path.startsWith(`${each}/`))),
      )
      .map((path) => `${file}: ${path}`),
  )
  assert.deepEqual(others, [])
})

function listFiles(folder: string): readonly string[] {
  assert.ok(existsSync(join(root, folder)))
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
}

test('instances are counted from 1', () => {
  assert.deepEqual(gatewayInstances(2), ['tappass@1.service', 'tappass@2.service'])
})

test('a credential id has its secret’s name', () => {
  assert.equal(credentialId('TAPPASS_VAULT_KEY'), 'tappass-vault-key')
  for (const name of SECRET_NAMES) assert.equal(secretNameOf(credentialId(name)), name)
  assert.equal(secretNameOf('tappass_vault_key'), undefined)
})

test('a process that ends with a code that nobody knows has failed', () => {
  const known: readonly number[] = Object.values(EXIT_CODE)
  const taken = Array.from({ length: 256 }, (_, code) => exitCodeOf(code))
  assert.deepEqual(
    taken,
    Array.from({ length: 256 }, (_, code) => (known.includes(code) ? code : EXIT_CODE.failed)),
  )
})
