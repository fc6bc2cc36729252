/** aidefence of claude-flow, from npm: some fifty phrases; any of them makes a text unsafe. */
import { join } from 'node:path'
import { list, member } from '../detector-peer.ts'
import { type LoadJudge, npmPeer } from '../npm-peer.ts'

/** Without its learning, which would make one text's verdict depend on the texts before it. */
export const loadJudge: LoadJudge = async (packages) => {
  const { createAIDefence } = await import(join(packages, '@claude-flow/aidefence/dist/index.js'))
  const defence = createAIDefence({ enableLearning: false })
  return (text) => defence.detect(text)
}

/** The peer. */
export const peer = npmPeer(
  {
    name: '@claude-flow/aidefence',
    version: '3.0.3',
    family: 'injection',
    does: 'its defaults, without learning; unsafe is refused',
    read: (said) =>
      member(said, 'safe', 'boolean')
        ? []
        : list((said as { threats?: unknown }).threats).map((threat) => ({
            kind: member(threat, 'type', 'string'),
            score: member(threat, 'confidence', 'number'),
          })),
  },
  import.meta.filename,
)
