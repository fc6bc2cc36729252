/** Identity numbers that hold a date of birth. */
import { isLuhn } from './checksum.ts'

function isDate(month: string, day: string): boolean {
  return +month >= 1 && +month <= 12 && +day >= 1 && +day <= 31
}

/** Swedish personnummer, ten or twelve digits: month and day, Luhn over the last ten. */
export function isPersonnummer(digits: string): boolean {
  return isLuhn(digits.slice(-10)) && isDate(digits.slice(-8, -6), digits.slice(-6, -4))
}

const HETU_CHECK = '0123456789ABCDEFHJKLMNPRSTUVWXY'

/** Finnish henkilötunnus as it is written, with its sign: day and month, the character at the rest by 31. */
export function isHetu(value: string): boolean {
  const rest = Number(value.slice(0, 6) + value.slice(7, 10)) % 31
  return isDate(value.slice(2, 4), value.slice(0, 2)) && HETU_CHECK[rest] === value[10]
}
