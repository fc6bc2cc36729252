/** A systemd unit: its file, whether it is enabled and running, and which revision of its inputs it runs. */
import type { ByHost } from '../core/host-trait.ts'
import type { Resource } from '../core/resource.ts'

/**
 * `name` is the full unit name. Of a template, `tappass@.service` lays down the file only and `tappass@1.service`
 * (with the same `content` and `inputs`) is an instance that enables, starts and restarts; it writes no file.
 * Without `content` the unit is another package's (docker.service) and only its state is looked after.
 * `content` holds `@REVISION@` (core/revision.ts: revisionPlaceholder) where its revision belongs:
 *  - `Environment=TAPPASS_REVISION=@REVISION@`: read back from the running main process;
 *  - `ExecStartPost=+/bin/sh -c 'mkdir -p /run/tappass/revision && echo @REVISION@ >/run/tappass/revision/%n'`:
 *    for sockets and oneshots with RemainAfterExit=yes, which have no process; read back from that file;
 *  - neither (timers, targets, oneshots that timers start): nothing is restarted, `daemon-reload` is enough.
 * The revision is a hash over content, `inputs` (texts) and `inputPaths` (files on the host, such as credentials).
 * An instance or unit whose running revision differs is restarted (`onChange: 'reload'` reloads instead and needs
 * the second form in ExecReload too).
 */
export type UnitOptions = Readonly<{
  name: string
  content?: ByHost<string>
  inputs?: readonly string[]
  inputPaths?: readonly string[]
  isEnabled?: boolean
  isRunning?: boolean
  /** Without `content`: the revision that a drop-in of ours puts into the unit's environment; a process that runs another is restarted. */
  revision?: string
}>

/** Says `daemon-reload`, `enable`, `start` or `restart` as the state asks for, and waits for the unit to be active. */
export const unit = (options: UnitOptions): Resource => {
  throw new Error(`not written yet: ${options.name}`)
}
