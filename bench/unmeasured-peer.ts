/** Detectors that were looked at and are not measured beside ours, and why: what their packages do, as they were read. */

/** Name and version, and the reason. */
export const UNMEASURED: readonly (readonly [name: string, reason: string])[] = [
  ['llm-guard 0.3.16 (PyPI)', 'its scanner of prompt injection loads a DeBERTa model from a hub when it runs'],
  [
    'nemoguardrails 0.24.1 (PyPI)',
    'its jailbreak checks load gpt2-large or an embedding model from a hub; its patterns are for code, SQL and templates in answers',
  ],
  [
    'openai-guardrails 0.3.6 (PyPI), @openai/guardrails 0.2.1 (npm)',
    'its checks of jailbreaks and injection ask a language model',
  ],
  ['arcjet 1.13.0 (npm)', "its rule of prompt injection asks Arcjet's service"],
]
