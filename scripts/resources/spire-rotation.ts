/**
 * The authority of SPIRE's server, rotated by the server's own interface: the next one is prepared and trusted by everybody before it signs, and the one before is trusted
 * until it expires, or, where it was exposed, until nothing is signed by it any more. The keys of X.509 and JWT go together. Each step looks at what there is, so a run that was killed is gone on with.
 */
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand, within } from '../core/command.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { SPIRE_SERVER } from '../facts/spire.ts'
import type { Rotation } from '../secrets/secret-rotation.ts'
import { type SpireAuthorities, spireAuthoritiesFact } from '../secrets/spire-authority.ts'

/** How long the agent and the helper may take to pass on what the server has. */
const MINUTES = 12

/**
 * `$1` is the server's program, `$2` its socket, `$3` the folder of the gateway's SVID, `$4` that of the agent, then the steps. The files of the gateway's SVID say what the agent has passed on to workloads.
 * An authority is retired when the SVIDs of the gateway and of the agent are signed by the one that is active; other workloads were given theirs in the same round of the agent.
 */
const SCRIPT = `server=$1 socket=$2 svid=$3 agent=$4; shift 4
show() { "$server" localauthority "$1" show -socketPath "$socket" -output json | sed -n 's/.*"'"$2"'":{"authority_id":"\\([^"]*\\)".*/\\1/p'; }
ask() { kind=$1 verb=$2; shift 2; said=$("$server" localauthority "$kind" "$verb" -socketPath "$socket" "$@" 2>&1) && return
  case $said in *'already tainted'* | *'found with provided'*) ;; *) printf '%s\\n' "$said" >&2; exit 1 ;; esac; }
certificates() { awk '/BEGIN/ { c = ""; next } /END/ { print c; next } { c = c $0 }' | sort; }
is_passed_on() { [ "$("$server" bundle show -socketPath "$socket" | certificates)" = "$(certificates <"$svid/svid_bundle.pem")" ]; }
signed_by() { openssl x509 "$@" -noout -ext authorityKeyIdentifier | tr -d ': \\n' | tr A-F a-f; }
is_renewed() { active=$(show x509 active); [ -n "$active" ] || return 1
  case $(signed_by -in "$svid/svid.pem") in *"$active") ;; *) return 1 ;; esac
  case $(tr -d ' \\n' <"$agent/agent-data.json" | sed -n 's/.*"svid":\\["\\([^"]*\\)".*/\\1/p' | base64 -d | signed_by) in *"$active") ;; *) return 1 ;; esac; }
wait_until() { left=$2; until "$1"; do left=$((left - 1)); [ "$left" -gt 0 ] || { echo "$3" >&2; exit 1; }; sleep 0.5; done; }
pass_on() { wait_until is_passed_on 240 'the agent does not pass on the bundle of its server: see journalctl -u tappass-spire-agent -u tappass-spiffe-helper'; sleep 2; }
for step do case $step in
  prepare) for kind in x509 jwt; do [ -n "$(show $kind prepared)" ] || ask $kind prepare; done; pass_on ;;
  activate) pass_on; for kind in x509 jwt; do next=$(show $kind prepared); [ -z "$next" ] || ask $kind activate -authorityID "$next"; done ;;
  retire) for kind in x509 jwt; do old=$(show $kind old); [ -z "$old" ] || ask $kind taint -authorityID "$old"; done
    wait_until is_renewed 360 'the agent does not renew what the authority before has signed: see journalctl -u tappass-spire-agent'; sleep 6
    for kind in x509 jwt; do old=$(show $kind old); [ -z "$old" ] || ask $kind revoke -authorityID "$old"; done; pass_on ;;
esac; done`

type Step = 'prepare' | 'activate' | 'retire'

/**
 * What is to be done. An exposed authority's folder may have had the next one's key in it, too: one that was prepared is activated and retired like it, and a really new one follows; the server itself
 * retires the one before the active one only.
 */
function stepsOf({ mode, storedBefore }: Rotation, found: SpireAuthorities): readonly Step[] {
  const { createdAt, isX509Prepared, isJwtPrepared, isOldTrusted } = found
  const isOutdated = createdAt < storedBefore
  if (mode === 'overlap') return isOutdated && !(isX509Prepared && isJwtPrepared) ? ['prepare'] : []
  const isAnyPrepared = isX509Prepared || isJwtPrepared
  if (mode === 'finish') return isAnyPrepared ? ['activate'] : []
  const rounds = isOutdated ? (isAnyPrepared ? 2 : 1) : 0
  const round = ['prepare', 'activate', 'retire'] as const
  return [...(isOldTrusted ? ['retire' as const] : []), ...Array.from({ length: rounds }, () => round).flat()]
}

const ACTIONS: Readonly<Record<Rotation['mode'], string>> = {
  overlap: "prepare another authority of SPIRE's server beside the current one",
  finish: "let the prepared authority of SPIRE's server sign",
  compromised: "replace the authority of SPIRE's server, and end the trust in the one before",
}

/** The rotation that was asked for. */
export function spireRotation(rotation: Rotation): Resource {
  return {
    id: 'spire-rotation:server',
    absent: leavesNothing('it goes with the folder of the server'),
    plan: async (getFact): Promise<readonly Change[]> => {
      const found = await getFact(spireAuthoritiesFact)
      const steps = found === undefined ? [] : stepsOf(rotation, found)
      if (steps.length === 0) return []
      const places = [HOST_PATH.spireServerSocket, HOST_PATH.svidFolder, HOST_PATH.spireAgentFolder]
      const command = within(MINUTES, scriptCommand(SCRIPT, [SPIRE_SERVER, ...places, ...steps]))
      return [{ action: ACTIONS[rotation.mode], reason: 'its rotation was asked for', commands: [command] }]
    },
  }
}
