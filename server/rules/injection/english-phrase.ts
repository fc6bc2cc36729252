/**
 * Phrases of prompt injection: instructions to drop the model's instructions, to reveal them, to become somebody
 * without rules; forged markers of a conversation; and, in tool results and documents, instructions to the assistant
 * at all. Near-certain ones have a confidence of 0.9 and more, weak ones less than 0.8.
 */
import type { Channel, Phrase } from '../../detection/phrase.ts'

/** Between two words: blanks, line ends, quotes, punctuation, emphasis. No character of it belongs to a word. */
export const WORD_GAP = '[\\s"\'*,.:;()\\[\\]<>«»“”‘/\\\\-]'

/** In a source, a blank is a gap and `@3` is up to three words of any kind. The end of a word is unambiguous. */
function phraseSource(source: string): string {
  return source.replace(/@(\d) /g, (_, most) => `(?:\\w{1,18} ){0,${most}}?`).replaceAll(' ', `${WORD_GAP}{1,4}`)
}

/** Markers begin with a bracket; words may be adjacent to them, and their blanks are literal. */
function isConversationMarker(source: string): boolean {
  return /^(?:\(\?:)?(?:\\\[|<)/.test(source)
}

/** Keywords are separated by bars. */
function phrase(
  kind: string,
  confidence: number,
  keywords: string | readonly string[],
  source: string,
  channel: Channel = 'anyone',
): Phrase {
  return {
    kind: `injection.${kind}`,
    severity: confidence >= 0.9 ? 'high' : confidence >= 0.7 ? 'medium' : 'low',
    confidence,
    keywords: typeof keywords === 'string' ? keywords.split('|') : keywords,
    pattern: new RegExp(isConversationMarker(source) ? source : `(?<!\\w)(?:${phraseSource(source)})(?!\\w)`, 'gi'),
    channel,
  }
}

const DROP_KEYWORDS =
  "ignor|disregard|forget|overlook|neglect|overrid|bypass|discard|dismiss|erase|stop following|stop obeying|not follow|not obey|don't follow|pay no attention|set aside|no longer follow"
const DROP =
  "(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overlook|neglect|overrid(?:e|ing)|bypass(?:ing)?|discard|dismiss|erase|stop following|stop obeying|not follow|not obey|don't follow|pay no attention to|set aside|no longer follow)"
const EARLIER =
  '(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|original|initial|former|past|old|existing|system|developer)'
const ORDERS =
  '(?:instructions?|directions?|directives?|prompts?|rules?|guidelines?|commands?|orders?|programming|training|constraints?)'
const LIMITS =
  '(?:restrictions?|guidelines?|polic(?:y|ies)|filters?|guardrails?|safeguards?|safety (?:measures|protocols|guidelines|rules)|limitations?|programming|ethic(?:s|al (?:guidelines|rules|constraints|standards))|moral(?:s| guidelines)|content polic(?:y|ies)|terms of service)'
const HIDDEN =
  '(?:system|initial|original|hidden|secret|internal|full|entire|complete|exact|confidential|developer|pre|base|above|previous|prior)'

// biome-ignore format: a table, one phrase a line
export const ENGLISH_PHRASES: readonly Phrase[] = [
  // Instructions to drop what was said before.
  phrase('direct', 0.95, DROP_KEYWORDS, `${DROP} @4 ${EARLIER} @2 ${ORDERS}`),
  phrase('direct', 0.95, DROP_KEYWORDS, `${DROP} @3 ${ORDERS} @3 (?:above|before|previously|earlier|prior|so far|given|you (?:were|have|had|got|received))`),
  phrase('direct', 0.9, DROP_KEYWORDS, `(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|neglect) (?:all|any|every|everything|anything|whatever|what) @4 (?:above|before|previously|prior|earlier|said|told|instructed|learned|programmed)`),
  phrase('direct', 0.85, DROP_KEYWORDS, `${DROP} (?:all|every|all of|your|my|its|openai(?:'s)?) @2 ${ORDERS}`),
  phrase('direct', 0.7, DROP_KEYWORDS, `${DROP} (?:any|each of|those|these|the) @2 ${ORDERS}`),
  phrase('direct', 0.85, DROP_KEYWORDS, `${DROP} (?:all|any|every|all of|your|its|openai(?:'s)?|the|those|these) @2 ${LIMITS}`),
  phrase('direct', 0.7, DROP_KEYWORDS, `${DROP} @2 (?:above|previous|prior|preceding|earlier) @1 (?:text|input|content|messages?|conversation|context|requests?|questions?|tasks?|documents?|webpage|paragraphs?|information|data|assignments?)`),
  phrase('direct', 0.88, DROP_KEYWORDS, `${DROP} (?:(?:all|everything|the|any) ){0,2}(?:above|preceding|foregoing)(?= (?:and|then|but|instead|now|ignore)(?!\\w))`),
  phrase('direct', 0.9, DROP_KEYWORDS, `${DROP} (?:the|this|that|any|all) @2 (?:web ?page|page|function|resume|table|paper|article|document|e-?mail|code|text|input|story|file|list|website|content) and (?:instead )?(?:state|say|print|output|write|return|respond|reply|answer|tell|give|show|execute|run|repeat)`),
  phrase('direct', 0.85, '<!--', '<!--[^>]{0,120}?(?<![\\w-])(?:(?:ignore|disregard|forget) (?:the|all|any|previous|prior|this|that|what|everything|your)|respond with|reply with|print the following|output the following|say that|tell the user|you must|ai assistant|ai model)'),
  phrase('direct', 0.9, 'new instruction|new instructions|real instruction|updated instruction|actual instruction', "(?:here are|these are|your|my|the following) @2 (?:new|real|updated|actual) instructions? (?:is|are|follow|for you)"),
  phrase('direct', 0.6, 'new instruction|new task|new prompt|new rules', '(?:your|following) @1 new (?:instructions?|task|prompt|rules|orders)'),
  phrase('direct', 0.9, 'instructions', "(?:previous|prior|above|earlier|original|initial|old) instructions? @3 (?:void|invalid|cancelled|canceled|obsolete|superseded|overridden|no longer (?:valid|apply|applies)|don't (?:matter|apply)|do not (?:matter|apply))"),

  // Instructions to reveal what the model was told.
  phrase('direct', 0.9, 'prompt|prompts', `(?:reveal|show|print|repeat|output|display|tell|give|leak|reproduce|recite|write|share|expose|disclose|return|echo|dump|state|copy|provide|paste|quote|read|list|what(?:'s| is| are| was| were)) @4 your @1 ${HIDDEN} @1 prompts?`),
  phrase('direct', 0.9, 'prompt|prompts', `(?:reveal|show|print|repeat|output|display|leak|reproduce|recite|expose|disclose|echo|dump|copy|paste|quote) @4 (?:the|its) @1 ${HIDDEN} @1 prompts?`),
  phrase('direct', 0.9, 'instructions|directives|guidelines|rules', `(?:reveal|show|print|repeat|output|display|tell|leak|reproduce|recite|expose|disclose|dump|copy|paste|quote) @4 (?:your|its) @1 (?:${HIDDEN} @1 )?(?:instructions|directives)`),
  phrase('direct', 0.75, 'initial instruction|system instruction|original instruction|hidden instruction|system message', `(?:your|the) (?:initial|original|hidden|secret|system|developer) @1 (?:instructions?|message)`),
  phrase('direct', 0.9, 'above|before this', '(?:repeat|print|output|display|copy|recite|write out|echo|show) @3 (?:everything|all|words?|text|sentences?|lines?|content) @3 (?:above|before this)'),
  phrase('direct', 0.6, 'were you told|you were told|were you instructed|been instructed|been told', '(?:what|everything|anything) @2 (?:were you|you were|you have been|you had been|have you been) (?:told|instructed|given)'),
  phrase('direct', 0.85, 'password|secret key|secret|passphrase|api key', "(?:what(?:'s| is| was)|tell me|give me|reveal|show me|share|say|spell|confirm|encode|print|output) @2 (?:your|the) @1 (?:secret )?(?:password|secret key|passphrase|api key|secret word|access code)"),
  phrase('direct', 0.7, 'password|passcode|passphrase|secret word', "(?:tell|give|show|reveal|share|say|confirm|write|provide|print|output|spell|encode|translate|describe|hint|poem|story|what(?:'s| is)) @4 (?:the|our|his|her|their) (?:secret )?(?:password|passcode|passphrase|secret word)(?! (?:policy|polic|reset|field|manager|hash|strength|requirements?|rules?|generator|input|form|check|validation|length))"),
  phrase('direct', 0.6, 'password|secret', "(?:your|the) (?:secret )?(?:password|passphrase|secret key|access code) (?:backwards|in reverse|in base64|letter by letter|encoded|hidden|again|for (?:testing|debugging|verification))"),

  // Becoming somebody without rules.
  phrase('jailbreak', 0.97, 'do anything now|dan mode|dan prompt', '(?:do anything now|dan mode|dan prompt)'),
  phrase('jailbreak', 0.9, 'jailbr', '(?:jailbreak(?:ed|ing|er)? @2 (?:mode|prompt|version|chatgpt|gpt|ai|enabled|response|answer|yourself|successful)|(?:you (?:are|have been|were) @2 |\\[)jailbr(?:eak|oken)(?:ed)?)'),
  phrase('jailbreak', 0.75, 'developer mode|god mode|unrestricted mode|evil mode|opposite mode|sudo mode|chaos mode', "(?:developer|god|unrestricted|evil|opposite|sudo|chaos) mode @3 (?:enabled|activated|output|responses?|prompt|unlocked|never|can)"),
  phrase('jailbreak', 0.8, 'enable|activate|enter|switch|simulate', '(?:enable|activate|enter|switch (?:in)?to|simulate) @3 (?:developer|god|debug|unrestricted|evil|opposite|sudo|jailbreak|uncensored|unfiltered|chaos) mode'),
  phrase('jailbreak', 0.85, 'unfiltered|uncensored|unrestricted|unlimited|amoral|unethical|immoral|unbiased|lawless|rule-free|unhinged|nonmoral|non-moral', "(?:as|you are|you're|become|be|act as|acting as|named|called|is|an?|being|completely|totally|fully|always) @2 (?:unfiltered|uncensored|unrestricted|amoral|unethical|immoral|lawless|unhinged|non-?moral) @4 (?:ai|chatbot|bot|assistant|model|gpt|chatgpt|persona|character|version|being|entity|response|answer|output|language model|robot|computer|program)"),
  phrase('jailbreak', 0.85, 'without any|without ethic|without moral|without restriction|without filter|without censor|without limit|without following|without regard|without remorse|without any regard', "without @3 (?:moral|ethical|legal|safety|content|openai) @3 (?:restrictions?|constraints?|guidelines?|considerations?|limitations?|boundaries|concerns?|polic(?:y|ies)|judgements?|filters?|principles?|codes?|implications?|compass|obligations?)"),
  phrase('jailbreak', 0.75, 'without any|without restriction|without filter|without censor|without limit', '(?:respond|answer|reply|speak|talk|generate|output|write|act|operate|chat) @4 without @2 (?:restrictions?|filters?|filtering|censorship|censoring|limits|limitations?|refus(?:al|ing))'),
  phrase('jailbreak', 0.85, 'no restriction|no ethic|no moral|no limit|no filter|no rules|no guideline|no censorship|not bound|not restricted|not limited|no longer bound|not constrained|freed from|free from|free of|broken free|escaped|liberated|not programmed|zero restriction|not subject', "(?:has|have|having|with|are|is|be|been|'re|has been|there are|were|you) @2 (?:not bound (?:by|to)|not restricted by|not limited by|no longer bound (?:by|to)|not constrained by|freed from|free from|free of|broken free (?:of|from)|liberated from|not subject to) @5 (?:restrictions?|ethic(?:s|al)|moral(?:s|ity)?|limits|limitations|filters?|rules|guidelines|censorship|confines|constraints|polic(?:y|ies)|boundaries|openai|chains|laws)"),
  phrase('jailbreak', 0.75, 'no restriction|no ethic|no moral|no limit|no filter|no rules|no guideline|no censorship|zero restriction', "(?:has|have|having|with|are|is|be|been|there are|were|you) @2 (?:no|zero) @2 (?:restrictions?|ethic(?:s|al)|moral(?:s|ity)?|limits|limitations|filters?|rules|guidelines|censorship|boundaries)"),
  phrase('jailbreak', 0.85, 'refuse|reject|decline', "(?:never|not|n't|cannot|can't|unable to|not allowed to) @2 (?:refuse|reject|decline) @4 (?:requests?|answer|prompts?|orders?|commands?|questions?|instructions?|asked?|anything|me)"),
  phrase('jailbreak', 0.75, 'refuse|decline', "(?:never|must not|cannot|can't|may not|unable to|not allowed to) @1 (?:refuse|decline)"),
  phrase('jailbreak', 0.85, "you can't|i can't|i cannot|as an ai|i'm sorry|i am sorry|sorry, but|against openai", "(?:never|not|n't|without|avoid|stop|refrain) @4 (?:say(?:ing)?|use|using|start(?:ing)?|respond(?:ing)?|include|including|reply|mention(?:ing)?|tell(?:ing)?) @5 (?:i can'?t|i cannot|as an ai|i'm sorry|i am sorry|sorry|against openai|you can't|i'm unable|language model)"),
  phrase('jailbreak', 0.8, "openai", "(?:not|n't|violates?|breaks?|against|ignore|bypass|regardless of|contrary to|defy|free from|bound by|care about|follow) @4 openai(?:'s)? @3 (?:polic(?:y|ies)|guidelines?|rules?|content|restrictions?|terms|limitations?|censorship)"),
  phrase('jailbreak', 0.75, 'openai|content policy', "(?:openai(?:'s)?|content) @1 (?:content )?(?:polic(?:y|ies)|guidelines|use-?case policies)"),
  phrase('jailbreak', 0.85, 'character|persona|role', "(?:never|not|n't|without|cannot|stop) @2 break(?:ing)? (?:out of )?(?:the |your )?(?:character|persona|role)"),
  phrase('jailbreak', 0.7, 'stay in character|stay a ', "stay (?:in character|a dan)"),
  phrase('jailbreak', 0.85, 'tokens', "(?:lose|have|deduct(?:ed)?|start with|given|taken?|has|subtract) @3 (?:\\d{1,4} |all |one )?tokens? @6 (?:refuse|reject|decline|die|cease|each time|every time|zero|run out|terminated|lose)"),
  phrase('jailbreak', 0.75, 'illegal|unethical|harmful|immoral|dangerous', "(?:even if|regardless|no matter|whether|including|matter how|provide|promote|generate|give|condone|encourage) @6 (?:illegal|unethical|harmful|immoral) @3 (?:immoral|unethical|illegal|or|and|dangerous|activit(?:y|ies)|content|acts?|behaviou?rs?|advice|information|requests?|it is|things)"),
  phrase('jailbreak', 0.8, 'two responses|two answers|both responses|two distinct|two different|2 responses|two ways|both ways', "(?:two|2|both) (?:distinct |different |separate |unique )?(?:and )?(?:\\w{1,12} )?(?:responses|answers|replies) @9 (?:normal|standard|classic|filtered|chatgpt|gpt|first|one as|labeled|dan|titled|tagged|marked|denoted)"),
  phrase('jailbreak', 0.75, 'evil|villain|machiavellian|malicious|rude', "(?:act as|pretend|play|you are|role of|acting as|named|persona of) @5 (?:evil|machiavellian|malicious|villainous|sinister|psychopath(?:ic)?|rogue|corrupt|hateful|racist|nsfw)"),
  phrase('jailbreak', 0.8, 'aim|always intelligent', '(?:always intelligent and machiavellian|you (?:are|will be|act as) aim)'),

  // Becoming somebody else.
  phrase('role_hijack', 0.75, 'from now on|from this point|starting now|from here on|going forward|henceforth', '(?:from (?:now on|this point|this moment|here on|this message)|starting now|henceforth) @4 (?:you|your|answer|respond|act|speak|reply|only|always|never|chatgpt|i want)'),
  phrase('role_hijack', 0.7, 'you are now|you are going to|you will now|you are about to|you shall now|you now', "(?:you are now|you're now|you will now|you shall now|you are (?:going|about) to) @2 (?:in|act|play|pretend|be|become|respond|called|named|an?|the|acting|playing|immerse|simulate|roleplay|role-play|impersonate|embody|assume|take on|operate|behave|known)"),
  phrase('role_hijack', 0.6, 'pretend|roleplay|role-play|role play|impersonat|immerse yourself', "(?:pretend|role-?play|role play|impersonate|immerse yourself) @3 (?:you|to be|into|in)"),
  phrase('role_hijack', 0.5, 'act as|acting as|i want you to act|play the role|assume the role|take on the role|your name is|you will be called', "(?:i want you to (?:act|play|be|become|pretend)|act as(?: if| though)?|acting as|play the role|assume the (?:role|persona|identity)|take on the (?:role|persona|identity)|your (?:new )?name is|you will be called)"),
  phrase('role_hijack', 0.8, 'chatgpt', "(?:chatgpt|gpt-?[34]|gpt) @4 (?:is (?:dead|gone|disabled|replaced)|no longer|will (?:now )?(?:act|pretend|respond|simulate|play)|with (?:dan|developer|jailbreak)|pretend(?:ing)?|must (?:act|respond|obey|never)|can now)"),
  phrase('role_hijack', 0.75, 'confirm that you|if you understand|if you have understood|understood', "(?:say|reply|respond|answer|write|confirm|type|state|acknowledge) @5 (?:if you (?:understand|understood|have understood|agree|acknowledge)|that you (?:understand|understood|have understood))|if you (?:understand|have understood|understood|agree) @4 (?:say|reply|respond|answer|write|confirm|type|please)"),
  phrase('role_hijack', 0.85, 'as an ai', "as an ai (?:language model |model |assistant )?(?:developed|created|made|built|trained) by (?:openai|anthropic|google|meta|microsoft|deepmind)(?: \\w{1,10}){0,2}(?=[\\s,]{1,3}(?:i'm|i am|you must|you will|you are))"),
  phrase('role_hijack', 0.85, 'mode', "(?:entering|entered|initiating|initiate|activating|now in|begin|enter) @3 (?:override|verification|debug(?:ging)?|maintenance|security|admin|administrator|reset|root|diagnostic|test) @2 mode"),
  phrase('role_hijack', 0.75, 'administrator|developer|openai employee|your creator|your developer|ceo', "(?:i am|i'm|this is|speaking as|as) (?:an? |the |your |one of your |one of the )?(?:(?:openai |system |your |lead |senior |original )?(?:developers?|administrators?|creators?|programmers?|engineers?|admin|ceo|owner|employee)) @4 (?:(?:of|at|from) (?:openai|this|the)|running|authoriz|need you|order|instruct|give|override|grant|request|allow|and i)"),

  // Forged markers of a conversation.
  phrase('context_manipulation', 0.92, ['<|'], '<\\|(?:im_(?:start|end|sep)|system|endoftext|(?:start|end)_header_id|eot_id|assistant|user)\\|>'),
  phrase('context_manipulation', 0.85, '[inst]|[/inst]|<<sys>>|[system]|[/system]', '(?:\\[/?(?-i:INST)\\]|<</?(?-i:SYS)>>|\\[/?(?-i:SYSTEM)\\])'),
  phrase('context_manipulation', 0.85, 'end of|begin|start of|new session|end context|end input', '(?:(?:end of|end) @1 (?:system|user|initial|previous|original) @1 (?:prompt|input|instructions?|context|messages?|session)|(?:begin|start of|start) @1 (?:new |admin |system |real )(?:session|instructions?|prompt|conversation))'),
  phrase('context_manipulation', 0.8, 'system:|system message:|system override|admin override|system alert:|system prompt:|[admin]', '(?:system|admin|administrator|developer) (?:message|override|alert|prompt|notice|instruction|command|update)(?: )?(?:code|key|accepted|engaged|enabled|activated|follows|is)'),
  phrase('context_manipulation', 0.6, 'user:|assistant:|human:|q:', '(?:user|human|q): @9 (?:assistant|ai|bot|chatgpt|a):'.replaceAll(': ', ':\\s?')),
  phrase('context_manipulation', 0.6, 'hypothetical', 'hypothetical (?:scenario|response|situation|discussion|world|story) @6 (?:where|in which|no|without|that)'),

  // Instructions in data: only the user and the system give instructions.
  phrase('indirect', 0.85, 'your response|your answer|your reply|your output|your summary|your message|your next', "(?:(?:in|to|into|with|within|throughout)|(?:end|beginning|start|top|bottom) of) your (?:next |final |own )?(?:response|answer|answers|reply|replies|output|summary|message)", 'data'),
  phrase('indirect', 0.85, 'your response|your answer|your reply', 'of your (?:next |final |own )?(?:response|answer|reply)', 'data'),
  phrase('indirect', 0.85, 'your response|your answer|your reply|your output|your summary', "(?:provide|render|modify|enhance|augment|convert|encode|write|give|format|translate|make|present|begin|start|end|finish|append|include|change|deliver|express|phrase|reverse|shorten|scramble|encrypt|enrich|adjust|alter|craft|frame|tailor|structure) @2 your (?:entire |whole |next |final )?(?:response|answer|reply|output|summary|message)s?", 'data'),
  phrase('indirect', 0.92, 'the user|the human|the reader', "(?:do not|don't|never|without) @2 (?:tell|inform|mention|telling|informing|mentioning|reveal) @4 (?:the )?(?:user|human)", 'data'),
  phrase('indirect', 0.6, 'the user|the human', "(?:do not|don't|never|without) @2 (?:notify|alert|let|show|warn) @4 (?:the )?(?:user|human)", 'data'),
  phrase('indirect', 0.8, 'ai assistant|ai model|language model|ai agent|ai system|llm|chatbot|dear assistant|the assistant|note to ai|chatgpt|claude|copilot|gpt-4|gemini', "(?:dear|attention|hey|note (?:to|for)(?: the)?|instructions? (?:to|for)(?: the| any| all)?|if you are an?|as an?|you are an?|message (?:to|for)(?: the)?|to(?: the)?) (?:ai|llm|chatbot|assistant|chatgpt|claude|copilot|gemini|language model|large language model)(?: (?:assistants?|models?|agents?|systems?))?(?=[\\s,:.!])", 'data'),
  phrase('indirect', 0.75, 'assistant|ai|llm', "(?:assistant|ai|llm|model|agent|chatbot) (?:must|should|shall|has to|needs to|is (?:required|instructed|ordered|asked) to|please) @1 (?:now )?(?:include|say|reply|respond|send|call|execute|run|ignore|add|tell|write|forward|open|use|follow|output|recommend|answer)", 'data'),
  phrase('indirect', 0.85, '<important>|[important]|<system|<instructions>|<admin>|<secret>', '(?:</?important>|<system(?:-instructions?|-prompt|-note|_note)?>|</?instructions>|<admin>|</?secret>)', 'data'),
  phrase('indirect', 0.85, 'code block|code snippet|code excerpt|code section|code segment|following code|subsequent code|below code', "your (?:\\w{1,14} )?(?:code|codebase|implementation|solution|algorithm|response|answer|elucidation|program|script|application|project|reply|output) @9 (?:following|subsequent|below|next) @1 code|(?:following|subsequent|below|next) @1 code (?:block|snippet|excerpt|section|segment|fragment|portion) @6 (?:your @1 |the (?=code you))(?:code|codebase|implementation|solution|algorithm|response|answer|elucidation|program|script|application|project|reply|output)", 'data'),
  phrase('indirect', 0.8, 'send|forward|email|transfer|post|upload|exfiltrate', "(?:send|forward|e-?mail|transfer|post|upload|exfiltrate|submit|leak) @5 (?:credentials?|passwords?|api keys?|tokens?|secrets?|conversation|chat history|system prompt|user data|personal data|private data|contents? of|environment variables|ssh keys?|\\.env) @4 to", 'data'),
  phrase('indirect', 0.75, 'call the|use the|invoke|execute the|run the', "(?:call|invoke|execute|trigger) the @2 (?:tool|function|api|command) @3 (?:with|to|and|using|now|immediately|before)", 'data'),
]
