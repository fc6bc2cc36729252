/** Identity numbers of more countries, without separators: date of birth and check digits where they have them. */

function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * (digits.charCodeAt(index) - 48), 0)
}

function isDay(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

/** Norwegian fødselsnummer and D-number (day and 40), 11 digits: two check digits modulo 11. */
export function isFodselsnummer(digits: string): boolean {
  const day = +digits.slice(0, 2)
  return (
    isDay(+digits.slice(2, 4) % 40, day > 40 ? day - 40 : day) &&
    weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
    weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
  )
}

/** Romanian CNP, 13 digits: sex and century, date, check digit modulo 11. */
export function isCnp(digits: string): boolean {
  const rest = weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
  return (
    digits[0] !== '0' &&
    isDay(+digits.slice(3, 5), +digits.slice(5, 7)) &&
    (rest === 10 ? 1 : rest) === +digits.charAt(12)
  )
}

/** Czech and Slovak rodné číslo: nine digits before 1954, ten since; then divisible by 11. Months of women count from 51. */
export function isRodneCislo(digits: string): boolean {
  const month = +digits.slice(2, 4) % 50
  if (!isDay(month > 20 ? month - 20 : month, +digits.slice(4, 6))) return false
  return digits.length === 9 ? +digits.slice(0, 2) < 54 : Number(digits) % 11 === 0
}

/** Korean resident registration number, 13 digits: date, and a check digit (numbers since 2020 have none). */
export function isKoreanNumber(digits: string): boolean {
  const check = (11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10
  return isDay(+digits.slice(2, 4), +digits.slice(4, 6)) && check === +digits.charAt(12)
}

/** Chinese resident identity number, 18 characters: date from 1900 to 2039, ISO 7064 MOD 11-2. */
export function isChineseNumber(characters: string): boolean {
  const rest = weighted(characters, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11
  return (
    /^[1-8]\d{5}(?:19\d\d|20[0-3]\d)/.test(characters) &&
    isDay(+characters.slice(10, 12), +characters.slice(12, 14)) &&
    '10X98765432'[rest] === characters[17]?.toUpperCase()
  )
}

/** Turkish identity number, 11 digits: two check digits modulo 10. */
export function isTurkishNumber(digits: string): boolean {
  const tenth = weighted(digits, [7, 9, 7, 9, 7, 9, 7, 9, 7]) % 10
  return (
    digits[0] !== '0' &&
    tenth === +digits.charAt(9) &&
    weighted(digits, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) % 10 === +digits.charAt(10)
  )
}

/** Croatian OIB, 11 digits: ISO 7064 MOD 11,10. */
export function isOib(digits: string): boolean {
  let product = 10
  for (const digit of digits.slice(0, 10)) product = (((+digit + product) % 10 || 10) * 2) % 11
  return (11 - product) % 10 === +digits.charAt(10)
}

const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** Italian codice fiscale, 16 characters: a letter by 26, characters in odd places by a table. */
export function isCodiceFiscale(characters: string): boolean {
  const text = characters.toUpperCase()
  let sum = 0
  for (let index = 0; index < 15; index++) {
    const code = text.charCodeAt(index)
    const value = code < 65 ? code - 48 : code - 65
    sum += index % 2 === 0 ? (ODD[value] ?? 0) : value
  }
  return text.charCodeAt(15) - 65 === sum % 26
}
