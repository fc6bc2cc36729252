/** Whether a text is source code or the prompt of an application: there talk about an answer is part of the program. */

/** How an ordinary line of code ends or begins, in any of the usual languages. */
const CODE_LINE =
  /[;{}()[\]:=]$|^(?:import|from|def|class|const|let|var|function|return|if|for|async|await|package|use|#include|@|\/\/|\/\*|\*|"""|"[\w-]{1,40}":|<\/?[a-z])/

/** The beginning of a text is enough to tell. */
const CHARS_MAX = 16_384
const LINES_MIN = 5
const SHARE_MIN = 0.35

/** Whether a text looks like code: more than a third of its lines do. */
export function looksLikeCode(text: string): boolean {
  const lines = text
    .slice(0, CHARS_MAX)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return lines.length >= LINES_MIN && lines.filter((line) => CODE_LINE.test(line)).length >= SHARE_MIN * lines.length
}

/** How prompts of applications begin. */
const PROMPT_START =
  /(?<!\w)(?:you are an?|act as|i want you to act|your (?:task|role|goal|job) is|(?:system|user) prompt|prompt:|role:)(?!\w)/i
const START_CHARS = 300

/** Whether a text looks like the prompt of an application: it begins with who somebody is to be. */
export function looksLikePrompt(text: string): boolean {
  return PROMPT_START.test(text.slice(0, START_CHARS))
}
