/** Whether a text is a file of a program, in code or as a prompt: there talk about an answer is part of the program. */

/** Whether a text is code, or a prompt, or a file in which an application keeps prompts. */
export function isOfProgram(text: string): boolean {
  return looksLikeCode(text) || looksLikePrompt(text) || PROMPT_PART.test(text)
}

/** Roles of messages, marks of chat templates, names of what is put into a prompt, and headings of its parts. */
const PROMPT_PART =
  /["']?role["']?\s?[:=]\s?["']?(?:system|user|assistant|developer)\b|<\|(?:im_start|start_header_id)\|>|\{\{?\s?(?:user_?)?(?:input|question|query|context|tools?|history|chat_history|instructions?|documents?)\s?\}|\$\{\w{1,30}(?::[^}]{0,60})?\}|\b(?:system|user)_(?:prompt|message)\b|^(?:#{1,4}|\*\*) ?(?:role|instructions?|(?:output|response) format|your task|objective|constraints|persona)\b/im

/** Whether a range is all of a quoted string, as entries of a list of phrases are. */
export function isQuotedAlone(text: string, start: number, end: number): boolean {
  const quote = text.charAt(start - 1)
  return (quote === '"' || quote === "'" || quote === '`') && text.charAt(end) === quote
}

/** How an ordinary line of code ends or begins, in any of the usual languages. */
const CODE_LINE =
  /[;{}()[\]:=]$|^(?:import|from|def|class|const|let|var|function|return|if|for|async|await|package|use|#include|@|\/\/|\/\*|\*|"""|"[\w-]{1,40}":|<\/?[a-z])/

/** The beginning of a text is enough to tell. */
const CHARS_MAX = 16_384
const LINES_MIN = 5
const SHARE_MIN = 0.35

/** Whether a text looks like code: more than a third of its lines do. */
function looksLikeCode(text: string): boolean {
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
function looksLikePrompt(text: string): boolean {
  return PROMPT_START.test(text.slice(0, START_CHARS))
}
