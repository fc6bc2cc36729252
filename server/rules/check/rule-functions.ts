/** The functions that rules name. Rules know their names alone; docs/reference/detectors.md lists them. */
import type { Named, RuleFunctions } from '../../detection/rule.ts'
import { isHetu, isPersonnummer } from './birth-number.ts'
import * as checksum from './checksum.ts'
import { isPlaceholder } from './entropy.ts'
import { isHexSeparator } from './hex-separator.ts'
import { IBAN } from './iban.ts'
import * as national from './national-number.ts'
import * as address from './packed-address.ts'
import { isPaymentCard, isPlainCard } from './payment-card.ts'
import { isDialable } from './phone-number.ts'
import * as key from './private-key.ts'
import * as secret from './secret-value.ts'

/** A checksum over the letters and digits of a value, whatever separates them. */
function compact(about: string, test: (characters: string) => boolean): Named<(value: string) => boolean>[string] {
  return { about, run: (value) => test(value.replace(/[^0-9A-Za-z]/g, '')) }
}

function isDigitCode(code: number): boolean {
  return code >= 48 && code <= 57
}

/** All of them. */
export const RULE_FUNCTIONS: RuleFunctions = {
  checks: {
    aadhaar: compact('Indian Aadhaar: Verhoeff', checksum.isAadhaar),
    aba_routing: compact('US routing number: weights 3 7 1', checksum.isRoutingNumber),
    be_register: compact('Belgian national register number: modulo 97', checksum.isBelgianRegisterNumber),
    bsn: compact('Dutch BSN: the eleven test', checksum.isBsn),
    cn_identity: compact('Chinese identity number: date, ISO 7064 MOD 11-2', national.isChineseNumber),
    cnp: compact('Romanian CNP: date, modulo 11', national.isCnp),
    codice_fiscale: compact('Italian codice fiscale: the letter by 26', national.isCodiceFiscale),
    cpf: compact('Brazilian CPF: two digits modulo 11', checksum.isCpf),
    credential: { about: 'No placeholder, code or name, and it has a digit', run: secret.isCredential },
    de_tax: compact('German tax number of a person: ISO 7064 MOD 11,10', checksum.isGermanTaxNumber),
    dialable: { about: 'Seven to fifteen digits; no date, range of years or run of zeros', run: isDialable },
    dni: compact('Spanish DNI and NIE: the letter by 23', checksum.isDni),
    filled: { about: 'Not one character eight times in a row, as in placeholders', run: secret.isFilled },
    fodselsnummer: compact('Norwegian identity number: date, two digits modulo 11', national.isFodselsnummer),
    hetu: { about: 'Finnish personal identity code: date, character by 31', run: isHetu },
    jwt_header: { about: 'The first part decodes to the header of a JSON web token', run: secret.isJwtHeader },
    jwt_long_header: { about: 'The same for the beginning of a long first part', run: secret.isLongJwtHeader },
    kr_resident: compact('Korean resident number: date, modulo 11', national.isKoreanNumber),
    luhn: compact('Luhn (ISO/IEC 7812-1)', checksum.isLuhn),
    nhs: compact('UK NHS number: modulo 11', checksum.isNhsNumber),
    nir: compact('French NIR: modulo 97', checksum.isNir),
    not_placeholder: { about: 'None of what people write in place of a secret', run: (value) => !isPlaceholder(value) },
    oib: compact('Croatian OIB: ISO 7064 MOD 11,10', national.isOib),
    payment_card: compact("Issuer's range and length, Luhn", isPaymentCard),
    personnummer: compact('Swedish personal identity number: date, Luhn', isPersonnummer),
    pesel: compact('Polish PESEL: weights 1 3 7 9', checksum.isPesel),
    plain_card: compact('The same for 15 and 16 digits of the large issuers', isPlainCard),
    rodne_cislo: compact('Czech and Slovak birth number: date, modulo 11', national.isRodneCislo),
    scrambled: { about: 'Base64 of what is no text: upper case, lower case and digits in turn', run: key.isScrambled },
    ssn: compact('US SSN: ranges that the SSA gives out', checksum.isSsn),
    tr_identity: compact('Turkish identity number: two digits modulo 10', national.isTurkishNumber),
  },
  grades: {
    address_image: {
      about: 'An image: data packed into its address 0.95, a long query 0.7, else 0.3',
      run: address.gradeImage,
    },
    address_link: { about: 'A link: data packed into its address 0.7, a long query 0.3', run: address.gradeLink },
    address_style: { about: 'An image of a style sheet: data packed into its address 0.8', run: address.gradeStyle },
    address_text: { about: 'An address in text: a packed host 0.7, a packed path 0.45', run: address.gradeAddress },
    bare_key: {
      about: 'The first line of a key without dashes: 0.9 when base64 of no text follows',
      run: key.gradeBareKey,
    },
    key: { about: 'The first line of a key: 0.99 when a body follows', run: key.gradeKey },
    key_mention: { about: 'The first line of a key: 0.4 when no body follows', run: key.gradeKeyMention },
    named_value: {
      about: 'A value behind a name: generated 0.85, chosen 0.6, else 0.3; no placeholder, code or plain word',
      run: secret.gradeNamedValue,
    },
    generated_value: {
      about: 'The same for names that say less: generated 0.85, else none',
      run: secret.gradeGeneratedValue,
    },
    issued_value: {
      about: 'A value behind the name of its issuer: 0.8 when it has a digit and ten characters',
      run: secret.gradeIssuedValue,
    },
    option_value: { about: 'The same where the place says that it is a password', run: secret.gradeOptionValue },
    phrase: {
      about: 'A password with blanks: 0.55 with a digit, none for a text about passwords',
      run: secret.gradePhrase,
    },
    told_value: { about: 'The same in a sentence', run: secret.gradeToldValue },
    url_password: {
      about: 'The password of an address 0.9; defaults of development, and words on a local host 0.4',
      run: secret.gradeUrlPassword,
    },
  },
  extends: {
    none: {
      about: 'It ends where the pattern ends, but a stream holds it like one that goes on',
      run: (_, end) => end,
    },
    private_key: { about: 'To the footer of an armoured key, or the last piece of its body', run: key.privateKeyEnd },
  },
  probes: {
    behind_digit: { about: 'A digit in front', run: (text, at) => isDigitCode(text.charCodeAt(at - 1)) },
    hex_separator: { about: 'Hexadecimal digits on both sides, or a second colon', run: isHexSeparator },
  },
  finders: { iban: { about: 'IBAN: length of its country, ISO 7064 mod 97', run: IBAN } },
}
