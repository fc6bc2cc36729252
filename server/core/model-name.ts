/** Names of models, as clients send them and model servers list them. */

/**
 * True for a text that may be one: a line that is not empty. The rest is the model server's business (`llama 3 (8b)`,
 * `claude[1m]`, a path on its disk).
 */
export function isModelName(text: string): boolean {
  return /^(?=.*\S)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,256}$/u.test(text)
}
