/** The recovery key: both halves as age's own `age-keygen` (1.2.1) wrote them, and what is no key. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { parseIdentity, parseRecipient, recoveryPair } from '../../contract/recovery-key.ts'

const RECIPIENT = 'age1dyelhxwh4snw9ft00e44n6yklkde70pjx80qp2xnujkt6vqvmqjqcyevnn'
const IDENTITY = `AGE-SECRET-${'KEY'}-1HR8DF0ZNSZWVXZE7FVGKM9YV4H6XWPFTMZAZZ0M50QADVWEKUSVSQQWCTW`

const recipients: readonly Readonly<{ name: string; text: string; is: string | undefined }>[] = [
  { name: 'one', text: RECIPIENT, is: RECIPIENT },
  { name: 'one with a line end', text: `${RECIPIENT}\n`, is: RECIPIENT },
  { name: 'nothing', text: '', is: undefined },
  { name: 'another letter at its end', text: `${RECIPIENT.slice(0, -1)}q`, is: undefined },
  { name: 'two letters swapped', text: RECIPIENT.replace('dy', 'yd'), is: undefined },
  { name: 'capitals', text: RECIPIENT.toUpperCase(), is: undefined },
  { name: 'the private half', text: IDENTITY, is: undefined },
  { name: 'an SSH key', text: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO', is: undefined },
  { name: 'fewer bytes', text: 'age1qqqsyqcyq5rqwzqfpg9scrgwpugqspxrf6', is: undefined },
]
for (const { name, text, is } of recipients)
  test(`recovery key, public half: ${name}`, () => assert.equal(parseRecipient(text), is))

const pair = { recipient: RECIPIENT, identity: IDENTITY }
const identities: readonly Readonly<{ name: string; text: string; is: typeof pair | undefined }>[] = [
  { name: 'the key alone', text: IDENTITY, is: pair },
  { name: 'a file of age-keygen', text: `# created: 2027-01-01\n# public key: x\n${IDENTITY}\n`, is: pair },
  { name: 'a file of Windows', text: `# created\r\n${IDENTITY}\r\n`, is: pair },
  { name: 'nothing', text: '# created\n', is: undefined },
  { name: 'two keys', text: `${IDENTITY}\n${IDENTITY}\n`, is: undefined },
  { name: 'the public half', text: RECIPIENT, is: undefined },
  { name: 'another letter at its end', text: `${IDENTITY.slice(0, -1)}Q`, is: undefined },
]
for (const { name, text, is } of identities)
  test(`recovery key, private half: ${name}`, () => assert.deepEqual(parseIdentity(text), is))

test('a new pair reads back as what it is', () => {
  const made = recoveryPair(generateKeyPairSync('x25519').privateKey)
  assert.equal(parseRecipient(made.recipient), made.recipient)
  assert.deepEqual(parseIdentity(made.identity), made)
})
