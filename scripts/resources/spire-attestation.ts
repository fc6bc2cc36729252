/**
 * The attestation of SPIRE's agent by a join token: made by the server on the host, handed to the agent on standard input, once. It stands in no
 * file, argument, environment or log. What the agent keeps afterwards is its own SVID and key, with which it starts again by itself.
 */
import { HOST_PATH } from '../../contract/path.ts'
import { ACCOUNT, UNIT } from '../../contract/unit.ts'
import { scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { SPIRE_SERVER, type SpireState, spireFact } from '../facts/spire.ts'

/** The token is taken at once; one that a killed run leaves is worth nothing a little later. */
const TOKEN_SECONDS = 60
const ATTEST_MINUTES = 3

/**
 * The agent's first run, as its account. A pipe of root's can't be opened by its name (/dev/stdin), so `cat` hands on what comes. What the agent
 * says is shown only when it fails: its name, which it says when it has succeeded, holds the token.
 */
const FIRST_RUN = `exec 3<&0
log=$RUNTIME_DIRECTORY/first-run.log
cat <&3 | "$1" run -config "$2" -joinTokenFile /dev/stdin >"$log" 2>&1 &
pid=$! left=150
fail() { sed 's:join_token/[0-9a-f-]*:join_token/…:g' "$log" | tail -n 3 >&2; kill "$pid" 2>/dev/null; exit 1; }
until [ -s "$4/agent-data.json" ] && "$1" healthcheck -socketPath "$3" >/dev/null 2>&1; do
  kill -0 "$pid" 2>/dev/null || fail
  left=$((left - 1)); [ "$left" -gt 0 ] || fail
  sleep 0.2
done
kill "$pid"; wait "$pid" || :`

/** The bundle is pinned before the agent meets its server, and comes from the server's own socket. */
const ATTEST = `server=$1 socket=$2 bundle=$3 unit=$4 folder=$5 account=$6
systemctl stop tappass-spire-attest.service 2>/dev/null || :
! systemctl cat "$unit" >/dev/null 2>&1 || systemctl stop "$unit"
"$server" bundle show -socketPath "$socket" >"$bundle.tappass-new"
chmod 0644 "$bundle.tappass-new"; mv -f "$bundle.tappass-new" "$bundle"
rm -f "$folder/agent-data.json" "$folder/keys.json"
token=$("$server" token generate -socketPath "$socket" -ttl "$7" -output json | sed -n 's/.*"value": *"\\([0-9a-f-]*\\)".*/\\1/p')
[ -n "$token" ]
printf '%s\\n' "$token" | systemd-run --quiet --pipe --wait --collect --unit=tappass-spire-attest \\
  --property=User="$account" --property=Group="$account" --property=UMask=0077 \\
  --property=StateDirectory=tappass/spire-agent --property=StateDirectoryMode=0700 \\
  --property=RuntimeDirectory=tappass/spire-agent --property=NoNewPrivileges=yes --property=ProtectSystem=strict \\
  --property=RuntimeMaxSec=120 \\
  sh -euc "$8" sh "\${server%server}agent" "$9" "\${10}" "$folder"`

const COMMAND = within(
  ATTEST_MINUTES,
  scriptCommand(ATTEST, [
    ...[SPIRE_SERVER, HOST_PATH.spireServerSocket, HOST_PATH.spireBundle, UNIT.spireAgent, HOST_PATH.spireAgentFolder],
    ...[ACCOUNT.spireAgent, `${TOKEN_SECONDS}`, FIRST_RUN, HOST_PATH.spireAgentConfig, HOST_PATH.spireAgentSocket],
  ]),
)

/** Returns why the agent has to be attested; undefined: it starts with what it has. Throws a `Failure` (exit 5) for one that was banned. */
function reasonOf({ server, agent, nowMs }: SpireState, trustDomain: string): string | undefined {
  if (agent === undefined) return 'it has no SVID of its own'
  if (!agent.id.startsWith(`spiffe://${trustDomain}/`)) return 'its SVID is of another trust domain'
  if (agent.validToMs <= nowMs) return 'its SVID has expired'
  if (server === undefined) return undefined
  if (server.bannedAgents.includes(agent.id)) {
    throw refusedFailure(
      "SPIRE's agent on this host was banned",
      'somebody has banned it on the server, and a new token would undo that',
      `if it may come back: ${SPIRE_SERVER} agent evict -socketPath ${HOST_PATH.spireServerSocket} -spiffeID ID   (on the host; ID is in agent list)`,
    )
  }
  return server.agents.includes(agent.id) ? undefined : 'the server does not know it'
}

/** The attested agent; it is stopped while it is attested, and its unit starts it again. */
export function spireAttestation(trustDomain: string): Resource {
  return {
    id: 'spire-attestation:agent',
    absent: leavesNothing('the agent is known to the server only, which goes'),
    plan: async (getFact) => {
      const reason = reasonOf(await getFact(spireFact), trustDomain)
      return reason === undefined
        ? []
        : [{ action: 'attest the SPIRE agent with a new join token', reason, commands: [COMMAND] }]
    },
  }
}
