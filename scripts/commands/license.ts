/** `tappass license show|issue|verify`: the license of a gateway, and an authority of one's own. Issuing and verifying need no network. */

import { resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { checkLicense, issueLicense } from '../../contract/license.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { readAuthority, readAuthorityKey, readToken, writeToken } from '../control/license-file.ts'
import { checkedLicense, daysLeft, renderLicense } from '../control/license-text.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { connectGateway } from '../server-process/gateway-connection.ts'

function requiredOption(invocation: Invocation, name: string): string {
  const value = textOption(invocation, name)
  if (value !== undefined) return value
  throw usageFailure(`"license ${invocation.action}" needs "--${name}"`, `tappass license ${invocation.action} --help`)
}

function filePath({ workingFolder }: Invocation, file: string): string {
  return resolve(workingFolder, file)
}

async function show(invocation: Invocation): Promise<number> {
  const { gateway, close } = await connectGateway(invocation)
  try {
    const { license, status } = await gateway.readLicense()
    const nowMs = invocation.nowMs()
    const text = isGiven(invocation, 'json')
      ? `${JSON.stringify({ ...license, status, daysLeft: daysLeft(license, nowMs) })}\n`
      : renderLicense(license, status, nowMs)
    invocation.stdout.write(text)
    return status === 'valid' || status === 'none' ? EXIT_CODE.upToDate : EXIT_CODE.failed
  } finally {
    await close()
  }
}

async function issue(invocation: Invocation): Promise<number> {
  const [org, tier, expires] = ['org', 'tier', 'expires'].map((name) => requiredOption(invocation, name)) as [
    string,
    string,
    string,
  ]
  const license = checkedLicense({ org, tier, expires }, invocation.nowMs())
  const key = readAuthorityKey(filePath(invocation, requiredOption(invocation, 'key')))
  const token = issueLicense(license, key)
  const out = textOption(invocation, 'out')
  if (out === undefined) invocation.stdout.write(`${token}\n`)
  else writeToken(filePath(invocation, out), token)
  return EXIT_CODE.upToDate
}

async function verify(invocation: Invocation): Promise<number> {
  const path = filePath(invocation, invocation.operands[0] as string)
  const authority = readAuthority(filePath(invocation, requiredOption(invocation, 'public-key')))
  const nowMs = invocation.nowMs()
  const check = checkLicense(readToken(path), authority, nowMs)
  if (check.status === 'invalid') {
    const why = check.reason.replace('TAPPASS_LICENSE_AUTHORITY', 'that public key')
    throw new Failure({
      what: 'the license does not hold',
      where: path,
      why,
      next: 'ask who issued it for another one',
    })
  }
  const { license, status } = check
  invocation.stdout.write(
    isGiven(invocation, 'json')
      ? `${JSON.stringify({ ...license, status, daysLeft: daysLeft(license, nowMs) })}\n`
      : renderLicense(license, status, nowMs),
  )
  return status === 'valid' ? EXIT_CODE.upToDate : EXIT_CODE.failed
}

const ACTIONS: Readonly<Record<string, (invocation: Invocation) => Promise<number>>> = { show, issue, verify }

/** Runs the action. Returns the exit code: 1 for a license that has expired or does not hold. */
export async function run(invocation: Invocation): Promise<number> {
  const action = ACTIONS[invocation.action ?? '']
  if (action === undefined) throw new Error(`license ${invocation.action} is in the command table but not implemented`)
  return await action(invocation)
}
