/** The secrets that a host has stored: since when, until when, and whether one is being rotated. No value leaves the host, and no digest of one. */
import { STORAGE_CREDENTIAL_IDS } from '../../contract/storage.ts'
import type { Fact } from '../core/host.ts'
import { credentialPaths } from './credential.ts'
import { INGRESS_SECRET_IDS } from './ingress-secret.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from './secret-id.ts'
import { ROTATION_KINDS, type RotationKind } from './secret-rotation.ts'

/** Of one secret, in seconds since 1970 by the host's clock. `nextStoredAt`: it is being rotated since then. `expires`: as the secret itself says. */
export type StoredSecret = Readonly<{
  id: string
  kind: RotationKind
  storedAt: number
  nextStoredAt: number | undefined
  expires: number | undefined
}>

/** What is stored, and the host's clock at that moment. */
export type StoredSecrets = Readonly<{ secrets: readonly StoredSecret[]; now: number }>

const KINDS: Readonly<Record<string, RotationKind>> = ROTATION_KINDS

/** Of every kind: generated, provided, and what belongs to the ingress and to a storage elsewhere. */
const IDS = [...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS, ...INGRESS_SECRET_IDS, ...STORAGE_CREDENTIAL_IDS]

/**
 * Prints the clock, and ID STORED NEXT EXPIRES for each that is stored; what is not known is 0. The arguments are the folders of encrypted and plain
 * credentials, and ids. A value is read where it can say when it ends: a certificate, a license.
 */
const SCRIPT = `encrypted=$1 plain=$2; shift 2; date +%s
stored() { for p in "$encrypted/$1" "$plain/$1"; do [ ! -f "$p" ] || { stat -c %Y -- "$p"; return; }; done; echo 0; }
value() { if [ -f "$encrypted/$1" ]; then systemd-creds decrypt --name="$1" "$encrypted/$1" - 2>/dev/null; else cat -- "$plain/$1"; fi; }
expires() { case $1 in
  tls-certificate | *-ca) at=$(value "$1" | openssl x509 -noout -enddate 2>/dev/null | sed s/^notAfter=//) ;;
  tappass-license) at=$(value "$1" | cut -d. -f2 | tr '_-' '/+' | base64 -d 2>/dev/null | sed -n 's/.*"expires":"\\([0-9-]*\\)".*/\\1 23:59:59 UTC/p') ;;
  *) at= ;; esac; { [ -z "$at" ] && echo 0; } || date -d "$at" +%s 2>/dev/null || echo 0; }
for id do at=$(stored "$id"); [ "$at" = 0 ] || echo "$id $at $(stored "$id-next") $(expires "$id")"; done`

function secretOf(line: string): readonly StoredSecret[] {
  const [id = '', ...numbers] = line.split(' ')
  const [storedAt, next, expires] = numbers.map((text) => Number(text) || undefined)
  if (storedAt === undefined) return []
  // Those of the ingress and of a storage elsewhere come from elsewhere, too.
  return [{ id, kind: KINDS[id] ?? 'provided', storedAt, nextStoredAt: next, expires }]
}

/** All of them in one question. */
export const storedSecretsFact: Fact<StoredSecrets> = {
  query: {
    argv: ['sh', '-c', SCRIPT, 'sh', ...credentialPaths('').map((path) => path.replace(/\/$/, '')), ...IDS],
    effect: 'read',
  },
  parse: ({ stdout }) => {
    const [now = '', ...lines] = stdout.trim().split('\n')
    return { now: Number(now), secrets: lines.flatMap(secretOf) }
  },
}
