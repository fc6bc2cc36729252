/** Yelp's detect-secrets, from PyPI. */
import { list, member } from '../detector-peer.ts'
import { pythonPeer } from '../python-peer.ts'

/** The peer. */
export const peer = pythonPeer(
  {
    name: 'detect-secrets',
    version: '1.5.0',
    family: 'secret',
    does: 'all its plugins and usual filters, each text as a file; no live check of what is found',
    read: (said) => list(said).map((secret) => ({ kind: member(secret, 'type', 'string') })),
  },
  'detect-secrets',
  'detect_secrets_driver',
)
