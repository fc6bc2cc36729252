/** All credentials of ours on a host, whoever stored them: nothing to make, for each secret is a resource of its own, but they go together. */
import { HOST_PATH } from '../../contract/path.ts'
import { changeCommand } from '../core/command.ts'
import type { Resource } from '../core/resource.ts'
import { forgetMadeCommand, madeRecordFact } from '../facts/made-record.ts'
import { pathFact } from '../facts/path.ts'
import { REMOVAL_REASON } from '../files/removal.ts'
import { credentialPaths } from '../secrets/credential.ts'

const FOLDERS = [HOST_PATH.encryptedCredentialsFolder, HOST_PATH.credentialsFolder]

/** The credentials with these ids. They go with the data that were written with them, and not before. */
export function storedSecrets(ids: readonly string[]): Resource {
  return {
    id: 'stored-secrets:host',
    plan: async () => [],
    absent: async (getFact, { isWithData }) => {
      if (!isWithData) return []
      const paths = ids.flatMap(credentialPaths)
      const [made, ...states] = await Promise.all([
        getFact(madeRecordFact),
        ...paths.map((path) => getFact(pathFact(path))),
      ])
      const there = paths.filter((_, index) => states[index]?.kind !== 'absent')
      const folders = FOLDERS.filter((folder) => made.has('path', folder)).flatMap((folder) => [
        changeCommand('rmdir', '--ignore-fail-on-non-empty', '--', folder),
        forgetMadeCommand('path', folder),
      ])
      const [first, ...rest] = [...(there.length > 0 ? [changeCommand('rm', '-f', '--', ...there)] : []), ...folders]
      if (first === undefined) return []
      const action = `remove ${there.length} secrets: ${there.map((path) => path.split('/').at(-1)).join(' ')}`
      return [{ action, reason: REMOVAL_REASON, commands: [first, ...rest] }]
    },
  }
}
