/** What a ledger is verified against: the keys of its checkpoints, and checkpoints that are kept outside the database. */
import { readCheckpointFolder, readPublicKeys } from '../adapters/checkpoint-folder.ts'
import { createNoteSigner } from '../checkpoint/signed-note.ts'
import type { Config } from '../config/config.ts'
import type { Evidence } from '../ledger/verification.ts'

/** Creates what reads it, anew each time. Without a key and a folder there is none. */
export function createEvidence({ ledger, secrets }: Pick<Config, 'ledger' | 'secrets'>): () => Promise<Evidence> {
  const pem = secrets.TAPPASS_CHECKPOINT_KEY
  const own = pem === undefined ? [] : [createNoteSigner(pem).publicKey]
  return async () => {
    const folder = ledger.checkpointFolder
    if (folder === undefined) return { publicKeys: own, notes: [] }
    const kept = (await readPublicKeys(folder)).filter((key) => !own.some((each) => each.equals(key)))
    return { publicKeys: [...kept, ...own], notes: await readCheckpointFolder(folder) }
  }
}
