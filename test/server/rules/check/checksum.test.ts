/** Check digits: documented numbers are sound, and each single wrong digit is noticed by the schemes that promise it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as checksum from '../../../../server/rules/check/checksum.ts'

/** Name, the check, a sound number (from the scheme's own documentation), and whether every single error shows. */
const SCHEMES: readonly (readonly [
  name: string,
  check: (text: string) => boolean,
  sound: readonly string[],
  isComplete: boolean,
])[] = [
  ['Luhn', checksum.isLuhn, ['4111111111111111', '378282246310005', '6011111111111117', '046454286'], true],
  [
    'IBAN',
    checksum.isIban,
    ['GB82WEST12345698765432', 'NL91ABNA0417164300', 'DE89370400440532013000', 'no9386011117947'],
    true,
  ],
  ['BSN', checksum.isBsn, ['111222333', '123456782'], true],
  ['Belgian register number', checksum.isBelgianRegisterNumber, ['85073003328', '17073003384'], false],
  ['NIR', checksum.isNir, ['255081416802538'], true],
  ['German tax number', checksum.isGermanTaxNumber, ['36574261809', '86095742719'], true],
  ['PESEL', checksum.isPesel, ['44051401359'], true],
  ['NHS number', checksum.isNhsNumber, ['9434765919'], true],
  ['CPF', checksum.isCpf, ['52998224725', '11144477735'], true],
  ['Aadhaar', checksum.isAadhaar, ['999941057058'], true],
]
for (const [name, check, sound, isComplete] of SCHEMES) {
  test(name, () => {
    for (const number of sound) {
      assert.ok(check(number), number)
      for (let at = number.search(/\d/); isComplete && at < number.length; at++) {
        for (let digit = 0; digit < 10; digit++) {
          if (!/\d/.test(number.charAt(at)) || Number(number.charAt(at)) === digit) continue
          const wrong = `${number.slice(0, at)}${digit}${number.slice(at + 1)}`
          assert.ok(!check(wrong), wrong)
        }
      }
    }
  })
}

test('letters of DNI and NIE', () => {
  for (const [number, isSound] of [
    ['12345678Z', true],
    ['12345678A', false],
    ['X1234567L', true],
    ['Y1234567X', true],
    ['Z1234567R', true],
  ] as const) {
    assert.equal(checksum.isDni(number), isSound, number)
  }
})

test('ranges of SSN', () => {
  for (const [number, isSound] of [
    ['536221234', true],
    ['000121234', false],
    ['666121234', false],
    ['900121234', false],
    ['123001234', false],
    ['123120000', false],
  ] as const) {
    assert.equal(checksum.isSsn(number), isSound, number)
  }
})

test('zeros are nobody', () => {
  for (const check of [checksum.isBsn, checksum.isPesel, checksum.isNhsNumber, checksum.isCpf, checksum.isAadhaar]) {
    assert.equal(check('0'.repeat(12)), false)
  }
})
