/** Whether digits in groups can be dialled. */

/** Dates, ranges of years, amounts and round thousands. */
const NO_NUMBER =
  /^(?:\d+\.\d{1,2}|\d{4}(?: 0\d{3})+|(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d|(?:19|20)\d\d ?[-–] ?(?:19|20)\d\d)$/

/** Seven to fifteen digits (ITU-T E.164, and local numbers), no date, no year range, no long zero run. */
export function isDialable(value: string): boolean {
  const digits = value.replace(/\s?(?:x|ext).*$/i, '').replace(/\D/g, '')
  // An international number has at least eight digits after the 00.
  if (digits.length < (digits.startsWith('00') ? 10 : 7) || digits.length > 15 || /^(\d)\1*$|0{5}/.test(digits))
    return false
  return !NO_NUMBER.test(value)
}
