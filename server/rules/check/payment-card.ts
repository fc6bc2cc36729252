/** Numbers of payment cards. */
import { isLuhn } from './checksum.ts'

/** Card numbers by issuer (ISO/IEC 7812 ranges) and the lengths that the issuer uses. */
const CARD =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|(?:2131|1800)\d{11}|6(?:011|4[4-9]|5|22|28)\d{10,15}|(?:50|5[6-8]|6[0379])\d{10,17}|81\d{14})$/

/** Those that are told by their digits alone: 15 or 16 of Visa, Mastercard, American Express, Discover and JCB. */
const PLAIN_CARD =
  /^(?:4\d{15}|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{10,14}|3[47]\d{13}|352[89]\d{12}|35[3-8]\d{13}|6011\d{12}|64[4-9]\d{13}|65\d{14})$/

/** Whether digits are a card's: range and length of an issuer, Luhn, and not one digit alone. */
export function isPaymentCard(digits: string): boolean {
  return CARD.test(digits) && isLuhn(digits) && !/^(\d)\1*$/.test(digits)
}

/** The same for the ranges that no context has to confirm. */
export function isPlainCard(digits: string): boolean {
  return PLAIN_CARD.test(digits) && digits.length >= 15 && digits.length <= 16 && isPaymentCard(digits)
}
