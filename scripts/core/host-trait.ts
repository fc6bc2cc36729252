/** What kind of machine a host is: the few things by which wanted texts and package names may differ. */

/** `architecture` in Node's words (`linux-x64`), `systemdVersion` is 0 where systemd is absent. */
export type HostTraits = Readonly<{
  /** `ubuntu` or `debian`. */
  distribution: string
  /** `noble`, `bookworm`, `trixie`. */
  codename: string
  versionId: string
  /** `linux-x64`, `linux-arm64`. */
  platform: string
  /** Debian's word for the architecture: `amd64`, `arm64`. */
  debianArchitecture: string
  systemdVersion: number
  /** `encrypted`: secrets stand in /etc/credstore.encrypted and units say LoadCredentialEncrypted; `plain`: /etc/credstore and LoadCredential. */
  credentialStore: 'encrypted' | 'plain'
}>

/** A value, or a pure function of the host's traits that gives it. */
export type ByHost<T> = T | ((traits: HostTraits) => T)
