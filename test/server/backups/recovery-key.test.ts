/** Sealing to a recovery key and opening with it: what age itself (1.2.1) sealed, every kind of piece, and what was damaged. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import {
  parseIdentities,
  parseIdentity,
  parseRecipients,
  recoveryKeyProblem,
  recoveryPair,
  shortRecipient,
} from '../../../contract/recovery-key.ts'
import { decryptWith, encryptTo } from '../../../server/backups/recovery-key.ts'

const IDENTITY = `AGE-SECRET-${'KEY'}-1HR8DF0ZNSZWVXZE7FVGKM9YV4H6XWPFTMZAZZ0M50QADVWEKUSVSQQWCTW`
const SEALED =
  'YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA1S0crNFhJM2xPOC83STk3VHBoZytZWlBFZXJqQi9oUFN6aGxMMXAzMWpRCmtkY01WYVNXU0ZLUE83QlhOWlQ5NmV4Z1BwZ3BEbzhtajIyaXFqQkhXSzgKLS0tIEJpUEFEdzd4SmZma0tyV1kvKy9iNVd3ZUxQUVJXNVFZZE1GTi9VQlpiTU0K1nRxHBvXKrxAKeozSXw8XQcT4e+ay5VDXZ+mxfiwGuuVF/G7sU8A0i167L3mA0oHskdQ'
const { recipient, identity } = parseIdentity(IDENTITY) as NonNullable<ReturnType<typeof parseIdentity>>

/** Bytes that come in pieces of a size. */
async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
const whole = (source: AsyncIterable<Uint8Array>): Promise<Buffer> => buffer(Readable.from(source))
const seal = (bytes: Buffer, size = 4096): Promise<Buffer> => whole(encryptTo(recipient, piecesOf(bytes, size)))
const unseal = (bytes: Buffer, key = identity): Promise<Buffer> => whole(decryptWith(key, piecesOf(bytes, 1000)))

test('what age has sealed opens', async () => {
  assert.equal(String(await unseal(Buffer.from(SEALED, 'base64'))), 'sealed by age 1.2.1')
})

// age encrypts pieces of 64 KiB.
for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000])
  for (const size of [999, 65_536, 300_000])
    test(`sealed and opened: ${length} bytes in pieces of ${size}`, async () => {
      const bytes = Buffer.alloc(length, 'some bytes ')
      const sealed = await seal(bytes, size)
      assert.match(String(sealed.subarray(0, 60)), /^age-encryption\.org\/v1\n-> X25519 /)
      assert.ok(!sealed.includes('some bytes'))
      assert.ok(bytes.equals(await unseal(sealed)))
    })

const other = recoveryPair(generateKeyPairSync('x25519').privateKey)
const bytes = Buffer.alloc(150_000, 'x')

test('sealed to two keys, one of which takes the place of the other: each opens it, a file with both opens what is sealed to one of them', async () => {
  const both = await whole(encryptTo(`${recipient},${other.recipient}`, piecesOf(bytes, 4096)))
  const stranger = recoveryPair(generateKeyPairSync('x25519').privateKey).identity
  for (const key of [identity, other.identity, `${stranger}\n${identity}`])
    assert.ok(bytes.equals(await unseal(both, key)))
  await assert.rejects(unseal(both, stranger))
  assert.ok(bytes.equals(await unseal(await seal(bytes), `${other.identity}\n${identity}`)))
})

test('recovery keys: one or two, and what opens what is said by their public halves', () => {
  const [one, two] = [recipient, other.recipient]
  const rows = [one, `${one},${two}`, `${one}, ${two}`, `${one},${one}`, `${one},${two},${one}`, `${one},`, 'age1x', '']
  assert.deepEqual(rows.map(parseRecipients), [one, `${one},${two}`, `${one},${two}`, ...Array(5).fill(undefined)])
  const file = `# of last year\n${identity}\n\n# of now\n${other.identity}\n`
  assert.deepEqual(
    parseIdentities(file)?.map((pair) => pair.recipient),
    [one, two],
  )
  for (const text of ['', '# none', `${identity}\nx`]) assert.equal(parseIdentities(text), undefined)
  assert.equal(shortRecipient(`${one},${two}`), `age1…${one.slice(-8)} and age1…${two.slice(-8)}`)
  for (const [sealedTo, given] of [
    [null, identity],
    [undefined, identity],
    [`${two},${one}`, identity],
    [one, `${other.identity}\n${identity}`],
  ] as const)
    assert.equal(recoveryKeyProblem(sealedTo, given), undefined)
  assert.match(
    recoveryKeyProblem(two, identity) ?? '',
    new RegExp(`^sealed to the recovery key ${two}, and the one that was given is ${one}: `),
  )
})
const refused: readonly Readonly<{ name: string; change: (sealed: Buffer) => Buffer; key?: string }>[] = [
  { name: 'another key', change: (sealed) => sealed, key: other.identity },
  { name: 'the last byte is another', change: (sealed) => flipped(sealed, sealed.length - 1) },
  { name: 'a byte in the middle is another', change: (sealed) => flipped(sealed, 70_000) },
  { name: 'a byte of the header is another', change: (sealed) => flipped(sealed, 40) },
  { name: 'cut in a piece', change: (sealed) => sealed.subarray(0, 100_000) },
  { name: 'cut between pieces', change: (sealed) => sealed.subarray(0, sealed.indexOf('\n---') + 49 + 16 + 65_552) },
  { name: 'nothing', change: () => Buffer.alloc(0) },
]
function flipped(sealed: Buffer, at: number): Buffer {
  const copy = Buffer.from(sealed)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
for (const { name, change, key } of refused)
  test(`not opened: ${name}`, async () => {
    await assert.rejects(unseal(change(await seal(bytes)), key))
  })

test('not sealed: to what is no recipient', async () => {
  await assert.rejects(whole(encryptTo('age1nothing', piecesOf(bytes, 10))))
})

test('a source that fails ends the sealing with its error', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield bytes
    throw new Error('the disk is gone')
  }
  await assert.rejects(whole(encryptTo(recipient, broken())), /the disk is gone/)
})
