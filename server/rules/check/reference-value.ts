/** What stands behind the name of a secret and only refers to one: code, paths, names of things in words. */

/** Calls, paths, addresses, parameters, and what is put in when a text is made. */
const CODE =
  /^(?:[\w.$]+[([{].*|[a-z][a-z0-9+.-]{1,20}:\/\/.*|[/~.].*|[A-Za-z]:[\\/].*|[@#&*!].*|\d+(?:\.\d+)+=.*|\$[({\w].*|[A-Za-z_]\w*(?:\.\w+)+\+.*)$|\$\{|\{\{|#\{|%[({]|\{[\w.]{0,40}(?::[^{}]{0,20})?\}|\$\(|<%|=>/s

/** Names of stores of secrets, in front of what they call one; and what is encrypted already. */
const STORED =
  /^(?:arn|op|vault|ssm|kms|sops|gsm|env|file|secrets?|secretsmanager|ref\+\w+):|^ENC\[|^projects\/[^/]+\/secrets\/|^aws:/i

/** Regular expressions, which describe a secret, and colours of a terminal. */
const EXPRESSION =
  /(?:\\(?:033|x1b|u001b|e)|\u001b)\[|\[[^\]]{2,}\][+*{]|\(\?[:!=<i]|\\[dwsbDWSB]|\{\d{1,4}(?:,\d{0,4})?\}|^\^.*\$$/

/** Identifiers and types of a program, and dotted members; only without quotes, which would make them strings. */
const NAME = /^[A-Za-z_$][A-Za-z_$.\-:/]*$|^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$/

/** A word: letters in one case or capitalized, at most two digits behind them (`v2`, `east1`); or a short number. */
const WORD = /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+(?:[A-Z][a-z]+)*|[a-z]+(?:[A-Z][a-z]+)+)\d{0,2}$|^\d{1,4}$/

/** Whether a value is made of words and short numbers, joined by signs, as names of things are. */
export function isWords(value: string): boolean {
  const parts = value.split(/[-_./:@\\]+/).filter((part) => part !== '')
  return parts.length > 1 && parts.every((part) => WORD.test(part)) && parts.some((part) => /[a-z]{3}/i.test(part))
}

/** A path or a file by its last part. */
const FILE =
  /^[\w.@/\\-]+\.(?:pem|key|crt|cer|p12|pfx|jks|json|ya?ml|toml|ini|env|conf|cfg|txt|md|sh|py|js|ts|tsx|go|rb|rs|java|kt|php|cs|html?|css|png|svg|gpg|asc|age|enc|xml|properties|pub)(?::\d+:?)?$/i

/** Whether a value refers to something: code, a path, an expression, or the name of a stored secret. */
export function isReference(value: string): boolean {
  return CODE.test(value) || STORED.test(value) || EXPRESSION.test(value) || FILE.test(value)
}

/** Whether a value without quotes is an identifier, a type or a member of a program. */
export function isIdentifier(value: string): boolean {
  return NAME.test(value)
}
