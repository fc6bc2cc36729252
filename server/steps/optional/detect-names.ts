/**
 * Detects names of people and postal addresses by what stands around them and by frequent given names. Off unless
 * TAPPASS_DETECT_NAMES is on: names have no form, so it finds some of them, and sometimes what only looks like one.
 */

import { originOf } from '../../core/call.ts'
import type { LocalStep } from '../../core/step.ts'
import type { Engine } from '../../detection/engine.ts'

/** The longest text (UTF-16 code units) that a match can span, including lookaround. */
const MATCH_CHARS_MAX = 192

/** Frequent given names of Europe and the Americas, of statistics offices. Those that are ordinary words are left out. */
const GIVEN =
  `aaron abigail adam adrian agnes alan albert alejandro alena alessandro alex alexander alexandra alice alicia alina allison amanda
amelia amy ana andrea andreas andrew angela angelica anita anna anne annette annika antoine anton antonio arnold arthur ashley
astrid barbara beatriz benjamin bernard bernardo bianca birgit bjorn brandon brenda brian bridget bridgette bruno caleb camille
carla carlos carmen carol caroline carrie catherine cecilia cesar charlotte chloe chris christian christina christine christopher
claire clara clarissa claudia cody connor corey corinne cory courtney cristina cynthia daniel daniela danielle danny dario david
deborah deniz dennis derek diana diego dieter dirk dmitri dominik donald donna dorothy douglas dylan edgar edward elaine elena
elijah elisabeth elizabeth ella ellen emil emily emma emre enrique eric erik erika ernesto esther ethan eva evelyn fabian fatima
felipe felix femke fernando florian frances francesca francisco frank franz frederik gabriel gary gavin george gerald gerard
giovanni giulia glenn gloria gonzalo gregory greta guillaume gustavo hannah hans harold harvey heather hector heidi heinrich helen
helena helga henrik henry holly howard hugo ian ibrahim ines ingrid irene isaac isabel isabella ivan jacob jacqueline jaime james
jamie jan jana janet janice jared jason javier jean jeffrey jennifer jeremy jeroen jessica jill joan joao joel johan johanna
johannes john jonas jonathan jordan jorge jose josef joseph josephine joshua juan judith julia julian julie juliette jurgen justin
kaitlyn karen karin karl katarina katherine kathleen katie katja katrin keith kellie kelly kelsey kenneth kevin kimberly klaus
kornelia kristen kristina kurt kyle larry lars laura lauren laurent lena leon leonardo lidia lillian linda lisa logan lorenzo
louis louise luca lucas lucia lucy ludwig luis luisa lukas lydia madison magdalena malcolm manfred manuel marcel marcin marco
marcus marek margaret margarita margot maria marianne marie marieke marilyn marina mario marion marjorie markus marlene marta
martha martin martina marvin mary mathieu matteo matthew matthias maurice max megan mehmet melanie melissa mia michael michel
michelle miguel milan milena mitchell mohamed mohammed monica monika morgan nadine nancy natalia natalie natasha nathalie nathan
neil nicholas nicolas nicole niels nikolai nina noah noel norman olga oliver olivia oscar otto pablo pamela pascal patricia
patrick paul paula pauline pedro peter petra philip philippe phillip phyllis pierre piotr quentin rachel rafael ralph ramon raquel
raul raymond rebecca regina renate ricardo richard rick robert roberto rodrigo roger roland roman ronald ronny rosa rosemary
roxanne ruben rudolf russell ruth ryan sabine sally salvatore samantha samuel sandra sara sarah scott sebastian sergei sergio
shane shannon sharon shawn sheila shirley silvia simon simone sofia sonia sophia sophie stacy stanley stefan stefanie stella
stephanie stephen steve steven stuart susan susanne sven svetlana sylvia tamara tammy tania tanya teresa terry theo theodore
theresa thomas timothy tina tobias todd tom tomas toni tony tracy travis trevor tyler ursula valentina valerie vanessa vanja vera
veronica victor victoria viktor vincent virginia vivian vladimir walter wayne wendy werner wesley willem william wolfgang xavier
yasmin yolanda yusuf yvonne zachary`.split(/\s+/)

const NAME = "[A-Z\u00c0-\u00de][a-z\u00df-\u00ff'’]{1,20}"
const SURNAME = ['(?:(?:van|von|de|der|den|la|di|da|el|al|bin|dos|le) ){0,2}', NAME, `(?:-?${NAME})?`]
const PERSON = [NAME, '(?:-[A-Z][a-z]{1,20})?(?: [A-Z]\\.)?(?: ', ...SURNAME, '){0,2}']
const PLACE = '(?:,? (?:[A-Z]{2}|[A-Z][a-z]{2,16})){0,3}(?:,? \\d{4,5}(?: ?[A-Z]{2})?)?'

/** The rules, in the words of a file of rules. */
export const NAME_RULES = {
  family: 'pii',
  form: 'plain',
  severity: 'medium',
  confidence: 0.6,
  source: 'docs/reference/detectors.md#names-and-addresses',
  rules: [
    {
      id: 'introduced_name',
      kind: 'name',
      title: 'A name behind words that introduce one',
      keywords: [
        'name is ',
        'name: ',
        'i am ',
        "i'm ",
        'mr. ',
        'mrs. ',
        'ms. ',
        'dr. ',
        'mr ',
        'mrs ',
        'dear ',
        'call me ',
        'calls me ',
        'miss ',
        'user: ',
        'sincerely,',
        'regards,',
        'herr ',
        'frau ',
      ],
      pattern: [
        "(?<![A-Za-z])(?:[Nn]ame(?: is|:) {1,6}|[Mm]rs?\\.? |[Mm]s\\. |[Dd]r\\. |Dear |Herr |Frau |Miss |[Cc]alls? me |User: |(?:Sincerely|[Rr]egards),\\s{1,4}|(?:I am|I'm) (?=[A-Z]\\w{1,20} [A-Z]))(",
        ...PERSON,
        ')(?![A-Za-z])',
      ],
      unless:
        '^(?:Sir|Madam|All|Team|Customer|Friends?|Colleagues?|Mr|Mrs|Ms|Dr|The|This|String|Unknown|None|Null|True|False)(?![a-z])',
      examples: {
        match: ['my name is Zora Quill', 'Dear Mrs. Quillan-Bree,'],
        no_match: ['Dear Sir or Madam', 'the name is taken'],
      },
    },
    {
      id: 'given_and_family_name',
      kind: 'name',
      title: 'A frequent given name and a family name',
      keywords: GIVEN,
      pattern: ['(?<![\\w.@/-])[A-Z][a-z]{1,12}(?: [A-Z]\\.)? ', ...SURNAME, '(?![\\w@/(])'],
      examples: {
        match: ['verses from Tammy Quill', 'Jan van der Quill wrote'],
        no_match: ['tammy quill', 'import Thomas(Quill)'],
      },
    },
    {
      id: 'street_address',
      kind: 'address',
      title: 'A number and a street, as in English',
      keywords: [
        'street',
        'st',
        'avenue',
        'ave',
        'road',
        'rd',
        'lane',
        'ln',
        'drive',
        'dr',
        'boulevard',
        'blvd',
        'court',
        'ct',
        'way',
        'place',
        'terrace',
      ],
      pattern: [
        "(?<=(?<![\\w.])(\\d{1,5}[A-Za-z]? (?:[A-Z][\\w'.-]{1,16} ){1,3}))",
        '((?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Terrace)(?![A-Za-z])\\.?',
        PLACE,
        ')',
      ],
      examples: {
        match: ['at 12 Main Street, Springfield', 'to 4711 Old Mill Rd.'],
        no_match: ['Main Street', '12 main points on the street'],
      },
    },
    {
      id: 'street_and_number',
      kind: 'address',
      title: 'A street and a number, as in Dutch and German',
      keywords: ['straat ', 'laan ', 'weg ', 'plein ', 'gracht ', 'strasse ', 'str. ', 'platz ', 'allee '],
      pattern: [
        '(?<=(?<!\\w)((?:[A-Z][a-z-]{1,16} )?[A-Z][a-z\u00df-\u00ff-]{2,20}))',
        '((?:straat|laan|weg|plein|gracht|strasse|str\\.|platz|allee) \\d{1,4}[a-z]?(?:,? \\d{4,5}(?: ?[A-Z]{2})?)?(?:,? [A-Z][a-z]{2,20})?)',
      ],
      examples: {
        match: ['naar Dorpsstraat 12, 1234 AB Utrecht', 'Lindenallee 7'],
        no_match: ['de straat 12', 'een lange weg 3'],
      },
    },
  ],
}

/** Kinds `pii.name` and `pii.address`; like other personal data they are redacted from confidence 0.5 on. */
export function createStep(engine: Engine): LocalStep {
  const rules = engine.compile(NAME_RULES)
  const detect = engine.detector(rules)
  return {
    name: 'detect_names',
    position: 210,
    category: 'data_protection',
    stages: ['request', 'response'],
    isCacheable: true,
    matchCharsMax: MATCH_CHARS_MAX,
    pendingFrom: engine.pendingFrom(rules, MATCH_CHARS_MAX),
    inspect: (call) => engine.scan(call.segments, detect, { origin: originOf(call) }),
  }
}
