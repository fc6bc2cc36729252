/** vard, from npm: phrases of five kinds, as its preset `moderate` has them. */
import { join } from 'node:path'
import { list, member } from '../detector-peer.ts'
import { type LoadJudge, npmPeer } from '../npm-peer.ts'

/** It is what its documentation begins with, but for its limit of 10,000 characters, which is no finding. */
export const loadJudge: LoadJudge = async (packages) => {
  const { default: vard } = await import(join(packages, '@andersmyrmel/vard/dist/index.js'))
  const moderate = vard.moderate().maxLength(100_000_000)
  return (text) => moderate.safeParse(text)
}

/** The peer. */
export const peer = npmPeer(
  {
    name: '@andersmyrmel/vard',
    version: '1.2.0',
    family: 'injection',
    does: 'its preset `moderate`, without its limit of length',
    read: (said) =>
      member(said, 'safe', 'boolean')
        ? []
        : list((said as { threats?: unknown }).threats).map((threat) => ({
            kind: member(threat, 'type', 'string'),
            score: member(threat, 'severity', 'number'),
          })),
  },
  import.meta.filename,
)
