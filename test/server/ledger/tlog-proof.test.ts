/**
 * Proofs of entries, read by libraries of transparency logs that nobody here wrote: Go's note and tlog, and torchwood. Needs:
 * tlog-check.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../../server/adapters/system.ts'
import { originOf } from '../../../server/checkpoint/checkpoint.ts'
import { verifierKey } from '../../../server/checkpoint/signed-note.ts'
import type { SessionDatabase } from '../../../server/core/ports.ts'
import { createCheckpointTable } from '../../../server/ledger/checkpoint-table.ts'
import { proveEntry } from '../../../server/ledger/entry-proof.ts'
import { createLedger } from '../../../server/ledger/ledger.ts'
import { prepareSchema } from '../../../server/process/storage.ts'
import { cachePath } from '../../lab/setting.ts'
import { ledgerEntry } from './entry-fixture.ts'
import { createSigning, createSigningKey } from './signing-fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-tlog-'))
const { signer } = createSigningKey()
const entries = Array.from({ length: 21 }, () => ledgerEntry())
let database: SessionDatabase
let key = ''
before(async () => {
  database = await openPglite({ nowMs: Date.now })
  const place = { kind: 'pglite', folder: undefined } as const
  await prepareSchema(database, { environment: 'development', database: place }, '0', systemClock)
  const ledger = createLedger({ database, instance: '1', clock: systemClock, random: createRandom() })
  for (const entry of entries) await ledger.append(entry)
  await createSigning(ledger, signer, createCheckpointTable(database))()
  key = verifierKey(originOf(ledger.head()?.chain ?? ''), signer.publicKey)
})
after(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

function check(proof: string, entry: string): string {
  const path = join(folder, 'entry.tlog-proof')
  writeFileSync(path, proof)
  return spawnSync(cachePath('go', 'tlog-check'), [key, path], { input: entry, encoding: 'utf8' }).stdout.trim()
}

for (const [index, { auditId }] of entries.entries()) {
  test(`entry ${index + 2} is proven, and nothing else is`, async () => {
    const result = await proveEntry(database, auditId)
    assert.equal(result.status, 'proven')
    if (result.status !== 'proven') return
    assert.equal(check(result.proof, result.entry), 'intact')
    assert.match(check(result.proof, result.entry.replace('allow', 'block')), /^broken: invalid transparency proof/)
    assert.match(check(result.proof.replace('clock a', 'clock b'), result.entry), /^broken: invalid signature/)
  })
}
