/** What the injection models learn from: rows of the data folder, sentences of this project, documents of its npm dependencies. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSentences } from './injection-corpus.ts'
import { type Message, readRows } from './judgement-sample.ts'

/** A text, whether it is an attack, and how much it counts. Texts with an equal `key` are left out together, or all of a `set`; without these never. */
export type TrainingText = Readonly<{ text: string; label: 0 | 1; weight: number; key?: string; set?: string }>

/** Where the rows of a set come from, in one word: sets of one source are left out together. */
export function sourceOf(set: string): string {
  return /^(?:file|slice|git grep|commit|short orders)/.test(set) ? 'repositories' : (set.split(/[-+ ]/)[0] ?? set)
}

/** What users write, and what tools return. */
export type TrainingTexts = Readonly<{ prompts: readonly TrainingText[]; documents: readonly TrainingText[] }>

/** Rows that are attacks only beside a system prompt we don't see ("What is the capital of …") would teach to refuse questions. */
const EXPLICIT = /ignor|forget|disregard|password|passcode|secret|instruction|system|developer|override|pretend/i

/** Attacks in documents that are plain tasks are none by their words; those about the answer are. */
const isPlain = (set: string, text: string): boolean =>
  set.startsWith('bipia-') && set.endsWith('-attack') && !ABOUT_ANSWER.test(text)
const ABOUT_ANSWER = /\byour (?:\w+ )?(?:response|answer|reply|output|summary|message)/i

const PASTED_CHARS = 5_000
const PACKAGE_CHARS = 7_500

/** Markdown and type definitions of the installed npm packages: harmless documents, full of orders to the reader. */
export const packageDocuments = (): readonly string[] =>
  globSync(['node_modules/**/*.md', 'node_modules/{@types,fastify,undici,zx,execa,pg}/**/*.d.ts'], {
    cwd: join(import.meta.dirname, '..'),
  })
    .filter((path) => !/changelog|license|history/i.test(path))
    .sort()
    .map((path) => readFileSync(join(import.meta.dirname, '..', path), 'utf8'))

/** Reads all texts of a data folder, and makes the project's own. */
export function readTrainingTexts(folder: string): TrainingTexts {
  const prompts: TrainingText[] = []
  const documents: TrainingText[] = []
  const addTurns = (set: string, messages: readonly Message[]): void => {
    for (const { role, content } of messages)
      (role === 'assistant' ? documents : prompts).push({
        text: content,
        label: 0,
        weight: role === 'assistant' ? 1 : 1.5,
        key: content,
        set,
      })
  }
  for (const { set = '', channel, label = 0, text = '', messages, repo } of readRows(folder)) {
    if (messages !== undefined) addTurns(set, messages)
    else if (channel === 'user') {
      if (set !== 'cyberseceval' || EXPLICIT.test(text))
        prompts.push({ text, label, weight: promptWeight(set, label), key: text, set })
      // Prompts of an application are files of its repository.
      if (set === 'awesome-chatgpt-prompts') documents.push({ text, label, weight: 1, key: text, set })
    } else if (label === 0 || !isPlain(set, text)) {
      documents.push({ text, label, weight: documentWeight(set, label), key: repo ?? text, set })
      // Users paste code, too.
      if (label === 0) prompts.push({ text: text.slice(0, PASTED_CHARS), label, weight: 0.5, key: repo ?? text, set })
    }
  }
  for (const text of packageDocuments()) {
    prompts.push({ text: text.slice(0, PACKAGE_CHARS), label: 0, weight: 0.5, key: text })
    documents.push({ text, label: 0, weight: 1, key: text })
  }
  return { prompts: [...prompts, ...ownPrompts()], documents: [...documents, ...ownDocuments()] }
}

function documentWeight(set: string, label: 0 | 1): number {
  // Beside the attacks of their kind they are few.
  if (label === 0) return /^(?:agentdojo|tasktracker)-/.test(set) ? 4 : 1
  return set.startsWith('bipia-') ? 1 : 3
}

function promptWeight(set: string, label: 0 | 1): number {
  if (label === 1) return 1
  return set === 'notinject' ? 2 : 1.5
}

const ownPrompts = (): readonly TrainingText[] => [
  ...createSentences('benignPrompt', 1500, 1).map((text) => ({ text, label: 0 as const, weight: 0.6 })),
  ...createSentences('roleAndRules', 3000, 4).map((text) => ({ text, label: 0 as const, weight: 0.6 })),
  ...createSentences('attackPrompt', 600, 2).map((text) => ({ text, label: 1 as const, weight: 0.3 })),
]

const ownDocuments = (): readonly TrainingText[] => [
  ...createSentences('documentLine', 100, 3).map((text) => ({ text, label: 0 as const, weight: 0.5 })),
  ...createSentences('documentOrder', 1200, 12).map((text) => ({ text, label: 0 as const, weight: 1 })),
  ...createSentences('documentAttack', 1500, 11).map((text) => ({ text, label: 1 as const, weight: 0.3 })),
]
