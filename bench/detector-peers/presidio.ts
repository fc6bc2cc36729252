/** Microsoft's Presidio, from PyPI, without a model: what it finds by form. */
import { list, member } from '../detector-peer.ts'
import { pythonPeer } from '../python-peer.ts'

/** The peer. */
export const peer = pythonPeer(
  {
    name: 'presidio-analyzer',
    version: '2.2.366',
    family: 'pii',
    does: 'its recognisers of fixed forms for English, over a tokenizer; no model, so no names and places',
    read: (said) =>
      list(said).map((one) => ({
        kind: member(one, 'entity_type', 'string'),
        span: [member(one, 'start', 'number'), member(one, 'end', 'number')],
        score: member(one, 'score', 'number'),
      })),
  },
  'presidio',
  'presidio_driver',
)
