/**
 * Looks at what of a host ends or runs out (certificate, SVID, license, secrets, disks, copies of backups) and says so: in the journal, as metrics, in the
 * record that `status` reads, and to a webhook. A process of its own that a systemd timer starts. It ends with 0 when it could say so.
 */
import { X509Certificate } from 'node:crypto'
import { type Dirent, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { parseArgs } from 'node:util'
import { type CopyRecord, judgeCopies } from '../contract/backup-store.ts'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { checkLicense, type LicenseCheck } from '../contract/license.ts'
import { credentialId, secretNameOf, secretProblem } from '../contract/secret.ts'
import { readFileSystems } from './adapters/disk-state.ts'
import { readSetStates } from './backups/set-state.ts'
import {
  type Finding,
  judgeBackups,
  judgeDisk,
  judgeLicense,
  judgeSecret,
  judgeValidity,
  type Validity,
} from './housekeeping/finding.ts'
import { journalLines, metricsText, recordText, webhookBody } from './housekeeping/report.ts'

/** A slow answer is none. */
const TLS_MS = 5_000
const WEBHOOK_MS = 10_000

/** What ends by itself, or is the public half of something. */
const AGELESS: ReadonlySet<string> = new Set([
  credentialId('TAPPASS_LICENSE'),
  credentialId('TAPPASS_LICENSE_AUTHORITY'),
  credentialId('TAPPASS_ALERT_URL'),
])

function validityOf(certificate: X509Certificate): Validity {
  return { fromMs: Date.parse(certificate.validFrom), untilMs: Date.parse(certificate.validTo) }
}

/** Asks who serves on this machine; whether a client would believe it is not the question here. */
function servedCertificate(name: string, port: number): Promise<Validity | undefined> {
  return new Promise((resolve) => {
    const servername = isIP(name) === 0 ? name : ''
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, timeout: TLS_MS })
    const end = (validity?: Validity): void => {
      resolve(validity)
      socket.destroy()
    }
    socket.once('error', () => end()).once('timeout', () => end())
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      end(certificate && validityOf(certificate))
    })
  })
}

function entriesOf(folder: string): readonly Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []
}

/** The names of the certificates in the folder; undefined: somebody else's, and closed to this process. */
function svidNames(folder: string): readonly string[] | undefined {
  try {
    return entriesOf(folder)
      .map(({ name }) => name)
      .filter((name) => /^svid.*\.pem$/.test(name) && !/key|bundle/.test(name))
  } catch {
    return undefined
  }
}

/** The first certificate of each file that has one: the others are those of authorities. */
function svids(folder: string, nowMs: number): readonly Finding[] {
  const names = svidNames(folder)
  if (names === undefined) return [judgeValidity('svid', folder, undefined, nowMs)]
  return names.map((name) => {
    try {
      const certificate = new X509Certificate(readFileSync(join(folder, name)))
      return judgeValidity('svid', name, validityOf(certificate), nowMs)
    } catch {
      return judgeValidity('svid', name, undefined, nowMs)
    }
  })
}

/** Returns a credential; undefined for none, and for the empty line that stands for none. */
function credential(folder: string, id: string): string | undefined {
  const path = join(folder, id)
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  return text === '' ? undefined : text
}

function licenseOf(credentials: string, nowMs: number): LicenseCheck | undefined {
  const token = credential(credentials, credentialId('TAPPASS_LICENSE'))
  const authority = credential(credentials, credentialId('TAPPASS_LICENSE_AUTHORITY'))
  return token === undefined ? undefined : checkLicense(token, authority, nowMs)
}

/** What the copy of backups says of itself; its record is written whole. */
function copies(folder: string | undefined, nowMs: number): readonly Finding[] {
  if (folder === undefined) return []
  const path = join(folder, 'last.json')
  const record = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as CopyRecord) : undefined
  return [{ check: 'backup-copy', subject: record?.store ?? 'backup.store', ...judgeCopies(record, nowMs) }]
}

/** Names and ages: what is in the files is not read. */
function secretAges(
  stores: readonly string[],
  judge: Readonly<{ nowMs: number; daysMax: number }>,
): readonly Finding[] {
  return stores.flatMap((store) =>
    entriesOf(store)
      .filter((entry) => entry.isFile() && secretNameOf(entry.name) !== undefined && !AGELESS.has(entry.name))
      .map(({ name }) => judgeSecret(name, statSync(join(store, name)).mtimeMs, judge)),
  )
}

/** Sends a message. Returns what went wrong; the address is a secret, and in no message. */
async function send(url: string, body: string): Promise<string | undefined> {
  try {
    const headers = { 'content-type': 'application/json' }
    const signal = AbortSignal.timeout(WEBHOOK_MS)
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
    await response.body?.cancel()
    return response.ok ? undefined : `it answered ${response.status}`
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } }
    return name === 'TimeoutError' ? `no answer within ${WEBHOOK_MS / 1000} s` : `not reached (${cause?.code ?? name})`
  }
}

async function alert(credentials: string, findings: readonly Finding[], nowMs: number): Promise<readonly Finding[]> {
  const url = credential(credentials, credentialId('TAPPASS_ALERT_URL'))
  const body = webhookBody(findings, hostname(), nowMs)
  if (url === undefined || body === undefined) return []
  const formProblem = secretProblem('TAPPASS_ALERT_URL', url)
  const problem = formProblem === undefined ? await send(url, body) : `its address ${formProblem}`
  const about = { check: 'webhook', subject: 'tappass-alert-url' } as const
  return [
    { ...about, ...(problem === undefined ? { level: 'ok', state: 'told' } : { level: 'failed', state: problem }) },
  ]
}

function writeAtomically(path: string, text: string): void {
  writeFileSync(`${path}.partial`, text, { mode: 0o644 })
  renameSync(`${path}.partial`, path)
}

type Arguments = Readonly<{
  into: string
  credentials: string
  certificate: readonly [name: string, port: number] | undefined
  svid: string
  stores: readonly string[]
  disks: readonly string[]
  copyFolder: string | undefined
  backups: string | undefined
  secretDaysMax: number
  licenseDaysMin: number
}>

function parseArguments(argv: readonly string[]): Arguments {
  const [one, many] = [{ type: 'string' } as const, { type: 'string', multiple: true } as const]
  const options = {
    ...{ into: one, credentials: one, certificate: one, svid: one, copies: one, backups: one },
    ...{ store: many, disk: many },
    ...{ 'secret-days': one, 'license-days': one },
  } as const
  const { values } = parseArgs({ args: [...argv], options })
  const [secretDaysMax, licenseDaysMin] = [Number(values['secret-days']), Number(values['license-days'])]
  if (values.into === undefined || !Number.isInteger(secretDaysMax) || !Number.isInteger(licenseDaysMin))
    throw new Error('usage: check.ts --into FOLDER --secret-days DAYS --license-days DAYS [--credentials FOLDER …]')
  // The name may be an IPv6 address: the port is what follows the last colon.
  const [, name = '', port = ''] = /^(.*):(\d+)$/.exec(values.certificate ?? '') ?? []
  return {
    ...{ into: values.into, credentials: values.credentials ?? '', svid: values.svid ?? '' },
    certificate: port === '' ? undefined : [name, Number(port)],
    ...{
      stores: values.store ?? [],
      disks: values.disk ?? [],
      ...{ copyFolder: values.copies, backups: values.backups },
      secretDaysMax,
      licenseDaysMin,
    },
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const {
    into,
    credentials,
    certificate,
    svid,
    stores,
    disks: paths,
    copyFolder,
    backups,
    ...days
  } = parseArguments(argv)
  const nowMs = Date.now()
  const served =
    certificate === undefined
      ? []
      : [judgeValidity('certificate', certificate[0], await servedCertificate(...certificate), nowMs)]
  const found = [
    ...served,
    ...svids(svid, nowMs),
    ...judgeLicense(licenseOf(credentials, nowMs), { nowMs, daysMin: days.licenseDaysMin }),
    ...secretAges(stores, { nowMs, daysMax: days.secretDaysMax }),
    ...readFileSystems(paths).map(([path, state]) => judgeDisk(path, state)),
    ...copies(copyFolder, nowMs),
    ...(backups === undefined ? [] : judgeBackups(backups, readSetStates(backups), nowMs)),
  ]
  const findings = [...found, ...(await alert(credentials, found, nowMs))]
  process.stdout.write(`${journalLines(findings).join('\n')}\n`)
  writeAtomically(join(into, 'tappass.prom'), metricsText(findings, nowMs))
  writeAtomically(join(into, 'last.json'), recordText(findings, nowMs))
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`<3>tappass-check: ${error.message}\n`)
    process.exitCode = EXIT_CODE.failed
  })
}
