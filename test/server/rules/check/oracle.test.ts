/**
 * Check digits against the library stdnum, which says the same of thousands of numbers. It stays out of the product: 11 MB,
 * a tenth of a second to load, and Belgian numbers that it judges by today's date. Of German tax numbers it asks
 * more (which digits repeat), of US social security numbers less (a serial of 0000 passes).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stdnum } from 'stdnum'
import { isHetu, isPersonnummer } from '../../../../server/rules/check/birth-number.ts'
import * as checksum from '../../../../server/rules/check/checksum.ts'
import { sequence } from '../fixture.ts'

const next = sequence(5)
const pick = (characters: string): string => characters.charAt(Math.floor(next() * characters.length))
const digits = (count: number): string => Array.from({ length: count }, () => pick('0123456789')).join('')
const DNI = 'TRWAGMYFPDXBNJZSQVHLCKE'
const HETU = '0123456789ABCDEFHJKLMNPRSTUVWXY'

type Oracle = Readonly<{ validate: (number: string) => Readonly<{ isValid: boolean }> }>

const SCHEMES: readonly (readonly [name: string, ours: (text: string) => boolean, theirs: Oracle, () => string])[] = [
  ['Dutch BSN', checksum.isBsn, stdnum['NL']?.['bsn'] as Oracle, () => digits(9)],
  [
    'Polish PESEL',
    checksum.isPesel,
    stdnum['PL']?.['pesel'] as Oracle,
    () => `${digits(2)}0${pick('123456789')}1${digits(6)}`,
  ],
  ['Brazilian CPF', checksum.isCpf, stdnum['BR']?.['cpf'] as Oracle, () => digits(11)],
  ['Indian Aadhaar', checksum.isAadhaar, stdnum['IN']?.['aadhaar'] as Oracle, () => digits(12)],
  ['Canadian SIN', checksum.isLuhn, stdnum['CA']?.['sin'] as Oracle, () => digits(9)],
  [
    'French NIR',
    checksum.isNir,
    stdnum['FR']?.['nir'] as Oracle,
    () => `1${digits(2)}0${pick('123456789')}${digits(10)}`,
  ],
  ['Spanish DNI', checksum.isDni, stdnum['ES']?.['dni'] as Oracle, () => digits(8) + pick(DNI)],
  ['Spanish NIE', checksum.isDni, stdnum['ES']?.['nie'] as Oracle, () => pick('XYZ') + digits(7) + pick(DNI)],
  [
    'Finnish hetu',
    isHetu,
    stdnum['FI']?.['hetu'] as Oracle,
    () => `1${digits(1)}0${pick('123456789')}${digits(2)}-${digits(3)}${pick(HETU)}`,
  ],
  [
    'Swedish personnummer',
    (text) => isPersonnummer(text.replace('-', '')),
    stdnum['SE']?.['personnummer'] as Oracle,
    () => `${digits(2)}0${pick('123456789')}1${digits(1)}-${digits(4)}`,
  ],
]

for (const [name, ours, theirs, write] of SCHEMES) {
  test(name, () => {
    let sound = 0
    for (let round = 0; round < 6_000; round++) {
      const number = write()
      const isSound = ours(number)
      assert.equal(isSound, theirs.validate(number).isValid, number)
      if (isSound) sound++
    }
    assert.ok(sound > 20, `${sound}`)
  })
}
