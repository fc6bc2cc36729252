/** Personal data after a keyword: e-mail addresses after their @, numbers after the word that names them. */

import type { Severity } from '../../core/finding.ts'
import type { Pattern } from '../../detection/pattern.ts'
import * as checksum from './checksum.ts'

function digitsOf(value: string): string {
  return value.replace(/[^0-9A-Za-z]/g, '')
}

/** `words` as whole words, then at most 24 characters without a digit, then the value. Never part of a longer word. */
function labelled(
  kind: string,
  severity: Severity,
  keywords: readonly string[],
  words: string,
  shape: string,
  check: (value: string) => boolean = () => true,
): Pattern {
  return {
    kind: `pii.${kind}`,
    severity,
    confidence: 0.9,
    keywords,
    pattern: new RegExp(`(?<![\\w])(?:${words})(?!\\w)[^\\n\\d]{0,24}(${shape})(?![\\w])(?![.-]\\d)`, 'diy'),
    score: (value) => (check(value) ? 0.9 : undefined),
  }
}

/** The same for values that begin with letters: only filler words may be in between. */
function labelledCode(kind: string, keywords: readonly string[], words: string, shape: string): Pattern {
  return {
    kind: `pii.${kind}`,
    severity: 'high',
    confidence: 0.85,
    keywords,
    pattern: new RegExp(
      `(?<![\\w])(?:${words})(?!\\w)(?:[ '"(]{0,3}(?:number|no|nr|num|nummer|id|is|was|num[ée]ro)(?![\\w])\\.?){0,3}[\\s"':#=)]{0,4}(${shape})(?![\\w-])`,
      'diy',
    ),
  }
}

const DATE =
  '\\d{1,2}[-./ ]\\d{1,2}[-./ ](?:19|20)?\\d{2}|(?:19|20)\\d{2}[-./]\\d{1,2}[-./]\\d{1,2}|\\d{1,2}\\.? [A-Za-zéûä]{3,9}\\.?,? (?:19|20)\\d{2}'

/** Hexadecimal digits on both sides, or a second colon: what has a colon or hyphen in an address, and little else. */
function isInAddress(text: string, at: number): boolean {
  const after = text.charCodeAt(at + 1)
  return isHexCode(text.charCodeAt(at - 1)) && (isHexCode(after) || after === 58)
}

function isHexCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70)
}

/** ABA: weights 3 7 1. */
function isRoutingNumber(value: string): boolean {
  return [...value].reduce((sum, digit, index) => sum + Number(digit) * ([3, 7, 1][index % 3] as number), 0) % 10 === 0
}

// biome-ignore format: a table, one form a line
export const LABELLED_PATTERNS: readonly Pattern[] = [
  {
    kind: 'pii.email',
    severity: 'medium',
    confidence: 0.95,
    keywords: ['@'],
    // Name of up to 64 characters (RFC 5321), at most four labels of 40 and a top level of letters.
    pattern: /(?<=(?<![\w.+%\u00c0-\u024f-])([\w.+%\u00c0-\u024f-]{1,64}))(@(?:[A-Za-z0-9\u00c0-\u024f-]{1,40}\.){1,4}[A-Za-z]{2,18})(?![\w@])(?!\.[A-Za-z])/dy,
    score: (value) => (/^[.]|\.@|@-|-\.|^git@/.test(value) ? undefined : 0.95),
  },
  labelled('ssn', 'high', ['ssn', 'social security'], 'ssn|social security', '\\d{3}[- ]?\\d{2}[- ]?\\d{4}', (value) => checksum.isSsn(digitsOf(value))),
  labelled('national_id', 'high', ['itin'], 'itin', '9\\d{2}[- ]?[5-9]\\d[- ]?\\d{4}'),
  labelled('national_id', 'high', ['bsn', 'burgerservice', 'sofinummer'], 'bsn|burgerservicenummer|sofinummer', '\\d{4}[. ]?\\d{2}[. ]?\\d{3}', (value) => checksum.isBsn(digitsOf(value))),
  labelled('national_id', 'high', ['rijksregister', 'registre national', 'insz', 'niss', 'national number'], 'rijksregister(?:nummer)?|registre national|insz|niss|national number', '\\d{11}', (value) => checksum.isBelgianRegisterNumber(value)),
  labelled('national_id', 'high', ['steuer', 'idnr', 'tax id'], 'steuer-?id(?:entifikationsnummer)?|steueridentifikationsnummer|steuernummer|idnr|tax id', '\\d{2} ?\\d{3} ?\\d{3} ?\\d{3}', (value) => checksum.isGermanTaxNumber(digitsOf(value))),
  labelled('national_id', 'high', ['pesel'], 'pesel', '\\d{11}', (value) => checksum.isPesel(value)),
  labelled('national_id', 'high', ['nhs'], 'nhs', '\\d{3} ?\\d{3} ?\\d{4}', (value) => checksum.isNhsNumber(digitsOf(value))),
  labelled('national_id', 'high', ['cpf'], 'cpf', '\\d{11}', (value) => checksum.isCpf(value)),
  labelled('national_id', 'high', ['aadhaar', 'aadhar'], 'aadhaar|aadhar', '\\d{4} ?\\d{4} ?\\d{4}', (value) => checksum.isAadhaar(digitsOf(value))),
  labelled('national_id', 'high', ['sin', 'social insurance'], 'sin|social insurance', '\\d{3}[- ]?\\d{3}[- ]?\\d{3}', (value) => checksum.isLuhn(digitsOf(value))),
  labelled('national_id', 'high', ['cpr'], 'cpr', '\\d{6}-?\\d{4}'),
  labelled('bank_account', 'high', ['routing number', 'aba'], 'routing number|aba', '\\d{9}', isRoutingNumber),
  labelled('bank_account', 'high', ['account number', 'account no', 'rekeningnummer', 'kontonummer', 'sort code'], 'account (?:number|no)|rekeningnummer|kontonummer|sort code', '\\d{2}-\\d{2}-\\d{2}(?: \\d{8})?|\\d{7,17}'),
  labelled('date_of_birth', 'medium', ['birth', 'dob', 'born', 'geboren', 'geburtsdatum', 'geboortedatum', 'naissance', 'nacimiento', 'né le', 'née le'].filter((word) => /^[ -~]+$/.test(word)), 'birth(?:day|date)?|dob|born|geboren|geburtsdatum|geboortedatum|naissance|nacimiento', DATE),
  labelledCode('passport', ['passport', 'paspoort', 'reisepass', 'passeport', 'pasaporte'], 'passport|paspoort(?:nummer)?|reisepass(?:nummer)?|passeport|pasaporte', '[A-Z]{0,2}\\d{6,9}|[A-Z]{2}[A-Z0-9]{6}\\d|[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}'),
  labelledCode('driver_license', ['licen', 'rijbewijs', 'hrerschein', 'permis de conduire'], "(?<=(?:driver'?s?|driver’s|driving) )licen[cs]e|rijbewijs(?:nummer)?|hrerschein(?:nummer)?|permis de conduire", '[A-Z]{0,2}\\d{5,14}[A-Z]{0,2}|[A-Z]{5}\\d{6}[A-Z]{2}\\d[A-Z]{2}'),
  // Six or eight groups of hexadecimal digits, found by the separator after the first.
  { kind: 'pii.mac_address', severity: 'low', confidence: 0.8, keywords: [':', '-'], isPlausible: isInAddress,
    pattern: /(?<=(?<![\w:-])([0-9a-fA-F]{2}))([:-][0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){4})(?![\w:-])/dy },
  { kind: 'pii.ip_address', severity: 'low', confidence: 0.8, keywords: [':'], isPlausible: isInAddress,
    pattern: /(?<=(?<![\w:.])([0-9a-fA-F]{1,4}))(:(?:[0-9a-fA-F]{1,4}:){6}[0-9a-fA-F]{1,4})(?![\w:])|(?<=(?<![\w:.])([0-9a-fA-F]{1,4}))(:(?:[0-9a-fA-F]{1,4}:){0,5}:(?:[0-9a-fA-F]{1,4}:){0,4}[0-9a-fA-F]{1,4})(?![\w:])/dy,
    score: (value) => (/\d/.test(value) && value.split(':').length > 3 ? 0.8 : undefined) },
  { kind: 'pii.crypto_wallet', severity: 'low', confidence: 0.8, keywords: ['bc1'], pattern: /(?<!\w)bc1[ac-hj-np-z02-9]{38,59}(?!\w)/dy },
]
