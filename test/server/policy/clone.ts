/** A clone of the gateway, in which a test changes the policy as an operator does. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningGateway, startGateway } from '../running-gateway.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** What a gateway consists of, and what runs it in a test. */
const PARTS = [
  'server',
  'contract',
  'migrations',
  'package.json',
  'test/server/running-gateway.ts',
  'test/server/model-server.ts',
]

/** A clone. `run` runs one of its programs; `start` starts its gateway. */
export type GatewayClone = Readonly<{
  folder: string
  run: (...argv: readonly string[]) => void
  start: () => Promise<RunningGateway>
  remove: () => void
}>

/** Makes a clone; its dependencies are those of this one. */
export function cloneGateway(): GatewayClone {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-clone-'))
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return {
    folder,
    run: (...argv) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: folder, encoding: 'utf8' })
      if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stdout}${stderr}`)
    },
    start: async () => {
      const module = (await import(join(folder, 'test/server/running-gateway.ts'))) as {
        startGateway: typeof startGateway
      }
      return module.startGateway()
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
