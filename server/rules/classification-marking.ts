/** Classification markings: banners, classification lines, TLP (FIRST's traffic light protocol 2.0). */
import type { Severity } from '../core/finding.ts'
import type { Pattern } from '../detection/pattern.ts'

function wholeWord(source: string): string {
  return `(?<![\\w])(?:${source})(?![\\w])`
}

function marking(kind: string, severity: Severity, keywords: string, source: string, flags = ''): Pattern {
  return {
    kind: `class.${kind}`,
    severity,
    confidence: 0.9,
    keywords: keywords.split('|'),
    pattern: new RegExp(wholeWord(source), `dy${flags}`),
  }
}

/** The labels of a marking, in our users' languages. */
const LABEL =
  '(?:data )?(?:classification|sensitivity|classificatie|klassifizierung|einstufung|classification level)["\']?\\s{0,3}[:=]\\s{0,3}["\']?'
const LABELS =
  'classification|sensitivity|classificatie|klassifizierung|einstufung|data classification|data sensitivity'

/** All markings; a longer one may contain a shorter one of a lower class. */
// biome-ignore format: a table, one marking a line
export const MARKING_PATTERNS: readonly Pattern[] = [
  marking('restricted', 'high', LABELS, `${LABEL}(?:restricted|highly confidential|secret|top secret|strictly confidential|streng vertraulich|geheim)`, 'i'),
  marking('confidential', 'medium', LABELS, `${LABEL}(?:confidential|vertraulich|vertrouwelijk|confidentiel|confidencial)`, 'i'),
  marking('internal', 'low', LABELS, `${LABEL}(?:internal|intern|interne|interno)(?: use)?(?: only)?`, 'i'),
  // In running text these are words; as banners they are in capitals.
  marking('restricted', 'high', 'strictly confidential|highly confidential|streng vertraulich|strikt vertrouwelijk|top secret|restricted', 'STRICTLY CONFIDENTIAL|HIGHLY CONFIDENTIAL|STRENG VERTRAULICH|STRIKT VERTROUWELIJK|TOP SECRET|RESTRICTED DATA|RESTRICTED - [A-Z ]{2,20}'),
  marking('confidential', 'medium', 'confidential|vertraulich|vertrouwelijk|confidentiel|confidencial', 'CONFIDENTIAL|VERTRAULICH|VERTROUWELIJK|CONFIDENTIEL|CONFIDENCIAL'),
  marking('confidential', 'medium', 'company confidential|proprietary and confidential|confidential and proprietary|attorney-client privileged|commercial in confidence|under nda', 'company confidential|proprietary and confidential|confidential and proprietary|attorney-client privileged|commercial in confidence|under nda', 'i'),
  marking('internal', 'low', 'internal use only|for internal use|internal only|alleen voor intern gebruik|nur fur den internen gebrauch|usage interne|do not distribute|not for distribution', '(?:for )?internal use only|for internal use|internal only|alleen voor intern gebruik|usage interne|do not distribute|not for distribution', 'i'),
  marking('restricted', 'high', 'tlp:red', 'TLP:RED', 'i'),
  marking('confidential', 'medium', 'tlp:amber', 'TLP:AMBER(?:\\+STRICT)?', 'i'),
  marking('internal', 'low', 'tlp:green', 'TLP:GREEN', 'i'),
]
