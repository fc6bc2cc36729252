/** Requests with personal data of each kind, and texts that are marked: taken out, passed on, or refused on demand. */
import { chat, completion, json, type Row, says, toolSays } from '../row.ts'

const PERSONAL: readonly (readonly [what: string, text: string])[] = [
  ['e-mail', 'write to jan.de-vries+x@mail.example.org.'],
  ['e-mail with an umlaut', '<jürgen@beispiel-firma.de>'],
  ['card', 'card 4111111111111111 expires'],
  ['card with blanks', 'card 5500 0055 5555 5559, and'],
  ['card with dashes', 'card: 3782-822463-10005;'],
  ['card spelled', 'spelled 4 0 1 2 8 8 8 8 8 8 8 8 1 8 8 1.'],
  ['IBAN', 'to NL91ABNA0417164300 today'],
  ['IBAN with blanks', 'IBAN: DE89 3704 0044 0532 0130 00 and'],
  ['IBAN in small letters', 'iban gb82west12345698765432'],
  ['social number', 'my number: 536-22-1234.'],
  ['social number without dashes', 'social security number is 536221234'],
  ['IPv4', 'from 203.0.113.9 port 22'],
  ['IPv6', 'host 2001:db8:85a3:8d3:1319:8a2e:370:7348 up'],
  ['MAC address', 'nic 00:1b:44:11:3a:b7 up'],
  ['Dutch BSN', 'BSN: 111222333 (NL)'],
  ['Belgian number', 'rr 85.07.30-033.28.'],
  ['French NIR', 'nir 2 55 08 14 168 025 38.'],
  ['Spanish DNI', 'dni 12345678Z es'],
  ['Italian code', 'cf RSSMRA85T10A562S it'],
  ['German tax id', 'Steuer-ID: 36574261809 de'],
  ['Polish PESEL', 'PESEL 44051401359 pl'],
  ['British NHS', 'NHS number 943 476 5919 uk'],
  ['Brazilian CPF', 'CPF 529.982.247-25 br'],
  ['Swedish number', 'personnummer 811228-9874 se'],
  ['Finnish hetu', 'hetu 131052-308T fi'],
  ['Indian Aadhaar', 'Aadhaar: 9999 4105 7058 in'],
  ['bank account', 'account number: 12345678,'],
  ['passport', 'passport number is K1234567.'],
  ['German passport', 'Reisepass Nr. C01X00T47 gültig'],
  ["driver's license", "driver's license number is A1253258."],
  ['date of birth', 'date of birth: 2/16/1962.'],
  ['German date of birth', 'geboren am 3. März 1971 in'],
  ['phone', 'call +31 6 12345678 now'],
  ['American phone', 'on +1 (212) 555-0123 now'],
  ['French phone', 'at 02.27.96.63.08 fr'],
  ['wallet', `send to 0x${'5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'}.`],
]

const IBAN = 'NL91ABNA0417164300'
const call = { id: 'c', type: 'function', function: { name: 'pay', arguments: `{"to":"${IBAN}","sum":3}` } }

const PLACES: readonly Row[] = [
  { what: 'several kinds at once', body: chat(`Card 4111 1111 1111 1111, to ${IBAN}, mail ann@example.com`) },
  { what: 'in a system prompt', body: { model: 'm', messages: [say('system', `Pay ${IBAN}.`), say('user', 'Do.')] } },
  { what: 'in what a tool said', body: toolSays(`{"iban":"${IBAN}"}`) },
  { what: 'as a number in what a tool said', body: toolSays('{"card": 4111111111111111, "n": 12345678901234567890}') },
  { what: 'as a number behind its name', body: chat('hello', { metadata: { ssn: 536221234, order: 536221234 } }) },
  { what: 'in parts of what a tool said', body: toolSays([{ type: 'text', text: `to ${IBAN}` }]) },
  {
    what: 'in arguments of a tool',
    body: {
      model: 'gpt-test',
      messages: [
        say('user', 'Pay.'),
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'paid' },
      ],
    },
  },
  { what: 'in parts of a content', body: chat([part('Pay'), part(`to ${IBAN}`), imagePart()]) },
  { what: 'in two messages', body: { model: 'm', messages: [say('user', IBAN), say('user', '536-22-1234')] } },
  { what: 'as a number', body: chat('Pay with this.', { metadata: { card: 4111111111111111 } }) },
  { what: 'as the name of a member', body: chat('Pay.', { metadata: { [IBAN]: 'x' } }) },
  { what: 'in a prompt', path: '/v1/completions', body: { model: 'm', prompt: [`to ${IBAN}`, 'x'] } },
  { what: 'in an input', path: '/v1/embeddings', body: { model: 'm', input: `to ${IBAN}` } },
  { what: 'escaped and split over lines', body: chat(`to NL91 ABNA\n0417 1643 00 or \\"${IBAN}\\"`) },
  { what: 'in a stream that is asked for', body: chat(`to ${IBAN}`, { stream: true }), answer: json(completion('x')) },
]

function say(role: string, content: string): object {
  return { role, content }
}

function part(text: string): object {
  return { type: 'text', text }
}

function imagePart(): object {
  return { type: 'image_url', image_url: { url: 'https://example.org/a.png' } }
}

const ANSWERED: readonly Row[] = [
  { what: 'answered', answer: json(completion(`It goes to ${IBAN}, mail ann@example.com.`)) },
  { what: 'answered in a tool call', answer: json(says({ content: null, tool_calls: [call] }, 'tool_calls')) },
  { what: 'answered in reasoning', answer: json(says({ content: 'Yes.', reasoning_content: `It is ${IBAN}.` })) },
  {
    what: 'answered with its tokens',
    answer: json(
      completion('', {
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: IBAN },
            logprobs: { content: [{ token: IBAN, logprob: 0 }] },
            finish_reason: 'stop',
          },
        ],
      }),
    ),
  },
  { what: 'answered with contact data only', answer: json(completion('Mail ann@example.com or call +31 6 12345678.')) },
].map((row) => ({ ...row, body: chat('hello') }))

const MARKED: readonly (readonly [what: string, text: string])[] = [
  ['banner', 'CONFIDENTIAL\nQ3 results'],
  ['line', 'Classification: Restricted\nThe plan.'],
  ['member', '{"classification": "internal", "plan": 1}'],
  ['strictly', 'STRICTLY CONFIDENTIAL: the plan'],
  ['TLP red', 'TLP:RED the plan'],
  ['TLP amber', 'tlp:amber+strict the plan'],
  ['TLP green', 'TLP:GREEN the plan'],
  ['internal', 'For internal use only. The plan.'],
  ['German', 'Einstufung: Vertraulich. Der Plan.'],
  ['privilege', 'attorney-client privileged: the plan'],
  ['no marking', 'We keep this confidential between friends; the area is restricted'],
]

/** Personal data and markings. */
export const PERSONAL_ROWS: readonly Row[] = [
  ...PERSONAL.map(([what, text]) => ({ what: `personal: ${what}`, body: chat(text) })),
  ...[...PLACES, ...ANSWERED].map((row) => ({ ...row, what: `personal data ${row.what}` })),
  ...MARKED.map(([what, text]) => ({ what: `marking: ${what}`, body: chat(text) })),
  { what: 'marking: in an answer', body: chat('hello'), answer: json(completion('TLP:RED\nThe plan.')) },
]
