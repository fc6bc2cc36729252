/** StackOne Defender, from PyPI: phrases, and a model of 22 MB that its package ships. */
import { list, member } from '../detector-peer.ts'
import { pythonPeer } from '../python-peer.ts'

/** The peer. What it does not allow without a phrase is the model's. */
export const peer = pythonPeer(
  {
    name: 'stackone-defender',
    version: '0.9.4',
    family: 'injection',
    does: 'phrases and the model that its package ships (22 MB), its defaults, blocking; made for results of tools',
    read: (said) => {
      const phrases = list((said as { detections?: unknown } | null)?.detections).map((kind) => ({
        kind: String(kind),
      }))
      if (member(said, 'allowed', 'boolean')) return []
      return phrases.length > 0 ? phrases : [{ kind: `model: ${member(said, 'risk_level', 'string')}` }]
    },
  },
  'stackone-defender',
  'stackone_defender_driver',
)
