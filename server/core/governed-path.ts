/** The routes of OpenAI's API whose requests are calls: judged, recorded, and counted as such. As routes know them: without the `/v1` in front. */
export const GOVERNED_PATHS = ['/chat/completions', '/completions', '/embeddings'] as const

/** One of them. */
export type GovernedPath = (typeof GOVERNED_PATHS)[number]
