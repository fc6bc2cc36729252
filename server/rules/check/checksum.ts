/** Checksums of identification numbers. Each takes digits (or characters) without separators. */

function digit(text: string, index: number): number {
  return text.charCodeAt(index) - 48
}

/** Luhn (ISO/IEC 7812-1): payment cards, Canadian SIN. */
export function isLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const value = digit(digits, digits.length - 1 - index) * (index % 2 === 0 ? 1 : 2)
    sum += value > 9 ? value - 9 : value
  }
  return digits.length > 1 && sum % 10 === 0
}

/** ISO 7064 MOD 97-10 over letters (A = 10 …) and digits; 1 is valid. */
function mod97(characters: string): number {
  let rest = 0
  for (const character of characters) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest
}

/** Length of an IBAN by country (ISO 13616 registry, release 99). */
const IBAN_LENGTH: Readonly<Record<string, number>> = Object.fromEntries(
  `AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18
  FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20
  LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18
  SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/** The length that an IBAN of this country has; undefined for none. */
export function ibanLength(country: string): number | undefined {
  return IBAN_LENGTH[country.toUpperCase()]
}

/** ISO 13616: known country, its length, check digits 02 to 98 that fit. */
export function isIban(characters: string): boolean {
  const iban = characters.toUpperCase()
  return ibanLength(iban.slice(0, 2)) === iban.length && mod97(iban.slice(4) + iban.slice(0, 4)) === 1
}

/** US SSN: no area 000, 666, 900 and above, no group 00, no serial 0000 (SSA). */
export function isSsn(digits: string): boolean {
  const area = Number(digits.slice(0, 3))
  return area > 0 && area !== 666 && area < 900 && digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000'
}

function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * digit(digits, index), 0)
}

/** Dutch BSN, the eleven test: weights 9 8 7 6 5 4 3 2 and -1. */
export function isBsn(digits: string): boolean {
  return Number(digits) > 0 && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0
}

/** Belgian national register number: 97 minus the rest of the first nine digits, with a 2 in front for births from 2000. */
export function isBelgianRegisterNumber(digits: string): boolean {
  const body = Number(digits.slice(0, 9))
  const check = Number(digits.slice(9))
  return body > 0 && (97 - (body % 97) === check || 97 - ((2_000_000_000 + body) % 97) === check)
}

/** French NIR: 97 minus the rest of the first thirteen characters, Corsica's 2A as 19 and 2B as 18. */
export function isNir(characters: string): boolean {
  const body = Number(characters.slice(0, 13).replace(/2A/i, '19').replace(/2B/i, '18'))
  return Number.isSafeInteger(body) && body > 0 && 97 - (body % 97) === Number(characters.slice(13))
}

/** Spanish DNI and NIE: the letter at the rest of the number by 23; X, Y, Z stand for 0, 1, 2. */
export function isDni(characters: string): boolean {
  const number = characters.toUpperCase().replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))
  return number.at(-1) === 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(number.slice(0, -1)) % 23]
}

/** German tax number of a person (IdNr): ISO 7064 MOD 11,10. */
export function isGermanTaxNumber(digits: string): boolean {
  let product = 10
  for (let index = 0; index < 10; index++) {
    const sum = (digit(digits, index) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return digits[0] !== '0' && (11 - product) % 10 === digit(digits, 10)
}

/** Polish PESEL: weights 1 3 7 9 repeated. */
export function isPesel(digits: string): boolean {
  return weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0 && Number(digits) > 0
}

/** UK NHS number: modulus 11, weights 10 to 2. */
export function isNhsNumber(digits: string): boolean {
  return Number(digits) > 0 && weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
}

/** Brazilian CPF: two check digits modulo 11; eleven equal digits aren't one. */
export function isCpf(digits: string): boolean {
  const check = (count: number): number => {
    const weights = Array.from({ length: count }, (_, index) => count + 1 - index)
    const rest = weighted(digits, weights) % 11
    return rest < 2 ? 0 : 11 - rest
  }
  return !/^(\d)\1*$/.test(digits) && check(9) === digit(digits, 9) && check(10) === digit(digits, 10)
}

const VERHOEFF_TURN = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

/** Product in the dihedral group D5 (Verhoeff 1969). */
function dihedral(a: number, b: number): number {
  return a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5
}

/** Indian Aadhaar: Verhoeff; the first digit is 2 or more. */
export function isAadhaar(digits: string): boolean {
  let check = 0
  for (let index = 0; index < digits.length; index++) {
    let value = digit(digits, digits.length - 1 - index)
    for (let turn = 0; turn < index % 8; turn++) value = VERHOEFF_TURN[value] as number
    check = dihedral(check, value)
  }
  return digit(digits, 0) >= 2 && check === 0
}

/** US routing number (ABA): weights 3 7 1. */
export function isRoutingNumber(digits: string): boolean {
  return weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
}
