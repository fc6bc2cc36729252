/**
 * The rooms of the code and the arrows between them: one row a room, from the floor up. A row names every room that this room imports
 * from, and no other: an import without a row fails, and so does a row without an import. docs/architecture.md and the README.md of each
 * room are written from this table by `node test/architecture/write-rooms.ts`.
 */

/**
 * `path` is a folder or, where a single file is a room of its own, that file. `knows` are the rooms below it that it imports from.
 * `isSet` marks a folder of interchangeable things (steps, rules, resources, commands, adapters, routes): it may hold as many files as there
 * are, and its members don't import each other. A room of nouns holds 25 files at most.
 */
export type Room = Readonly<{ path: string; is: string; knows: readonly string[]; isSet?: boolean }>

const contract: Room = {
  path: 'contract',
  is: 'What both halves must agree on: exit codes, port, secrets and their forms, addresses of a database and a Redis, licenses, recovery keys of backups, base64, private networks, paths, units, defaults. Knows no other room.',
  knows: [],
}

const server: readonly Room[] = [
  {
    path: 'server/core',
    is: 'The vocabulary of the gateway (call, finding, step, verdict, entry), the ports, the table of errors. Knows no other room.',
    knows: [],
  },
  {
    path: 'server/protocol',
    is: 'Bodies and streams of the model APIs: every text of a body, events of a stream, what an answer is.',
    knows: ['server/core'],
  },
  {
    path: 'server/database',
    is: 'What every SQL adapter needs: transactions, parsing of values, errors by their SQLSTATE.',
    knows: ['server/core'],
  },
  {
    path: 'server/config',
    is: 'The one reader of environment and credentials: settings, secrets.',
    knows: ['contract'],
  },
  {
    path: 'server/migration',
    is: 'Versioned migrations: plan, run under a lock, schema history, baseline, verification.',
    knows: ['contract', 'server/core', 'server/database'],
  },
  {
    path: 'server/housekeeping',
    is: 'What of a host ends or runs out, and how that is told: judged from what was read.',
    knows: ['contract'],
  },
  {
    path: 'server/observability',
    is: 'Readiness, histograms, what a process tells of itself, the log and how an error stands in it.',
    knows: ['contract', 'server/config', 'server/core'],
  },
  {
    path: 'server/normalization',
    is: 'Every way in which a text can be read: escapes resolved, forms of letters replaced, encoded runs decoded; and what of that may still change.',
    knows: ['server/core'],
  },
  {
    path: 'server/detection',
    is: 'The engine of the detectors: which texts are one, keyword index, patterns, matches, partial matches at the end of a stream.',
    knows: ['server/core', 'server/normalization'],
  },
  {
    path: 'server/rules/check',
    is: 'Functions that rules name: checksums, tests of a value, how sure a match is, where a key ends.',
    knows: ['server/detection', 'server/normalization'],
  },
  {
    path: 'server/rules/injection',
    is: 'The phrases of prompt injection, and what is beside them: the linear classifier, letters that stand apart.',
    knows: ['server/core', 'server/normalization', 'server/detection'],
  },
  {
    path: 'server/rules',
    is: 'What is known, as data: families of findings, and the rules of secrets, personal data, injection, markings and exfiltration. It is compiled into `compiled.json`.',
    knows: ['server/core', 'server/detection', 'server/rules/check'],
  },
  {
    path: 'server/steps',
    is: 'Detectors, one a file: each looks at a call and returns findings. A new detector is one new file.',
    knows: ['server/core', 'server/normalization', 'server/detection', 'server/protocol', 'server/rules/injection'],
    isSet: true,
  },
  {
    path: 'server/checkpoint',
    is: 'Signed checkpoints of chains in the formats of C2SP: Merkle tree (RFC 6962), notes, proofs.',
    knows: ['contract', 'server/core'],
  },
  {
    path: 'server/backups',
    is: 'What a backup set holds, how it is signed and sealed, and how long backups are kept.',
    knows: ['server/checkpoint', 'server/core'],
  },
  {
    path: 'server/copies',
    is: 'Copies of backups in a store: its port, how a backup stands there, copying to it and fetching from it.',
    knows: ['contract', 'server/backups', 'server/checkpoint'],
  },
  {
    path: 'server/steps/optional',
    is: 'Detectors that are off unless a setting turns them on.',
    knows: ['server/core', 'server/detection'],
    isSet: true,
  },
  {
    path: 'server/ledger',
    is: 'The hash-chained ledger: entries, sealing, chains, verification, audit queries.',
    knows: ['server/checkpoint', 'server/core', 'server/protocol'],
  },
  {
    path: 'server/svid',
    is: 'SPIFFE identities: what a certificate or a token has to be to be an SVID, and the trust bundle that it is checked against.',
    knows: ['contract'],
  },
  {
    path: 'server/access',
    is: 'Who may do what: API keys, SVIDs, authentication, roles, agents.',
    knows: ['contract', 'server/core', 'server/database', 'server/ledger', 'server/svid'],
  },
  {
    path: 'server/pipeline',
    is: 'The judgement of one stage of a call: run steps, decide, append, enforce; redaction; what a refusal says.',
    knows: ['server/core', 'server/ledger', 'server/protocol'],
  },
  {
    path: 'server/stream',
    is: 'How a streamed answer is held, judged in pieces and released.',
    knows: [
      'server/core',
      'server/normalization',
      'server/detection',
      'server/ledger',
      'server/pipeline',
      'server/protocol',
    ],
  },
  {
    path: 'server/governance',
    is: 'A whole governed call: request, model server, answer; flags, models, room for bodies.',
    knows: ['server/core', 'server/pipeline', 'server/protocol', 'server/stream'],
  },
  {
    path: 'server/policy',
    is: 'The default policy in Rego, its compiled form, its base document, and what builds them.',
    knows: ['server/core', 'server/rules'],
  },
  {
    path: 'server/adapters',
    is: 'Outside things, one a file (or a folder): databases, limiters, policy engine, model servers, clock. Each port has a contract test.',
    knows: [
      'contract',
      'server/checkpoint',
      'server/copies',
      'server/core',
      'server/database',
      'server/detection',
      'server/migration',
      'server/observability',
      'server/protocol',
      'server/svid',
    ],
    isSet: true,
  },
  {
    path: 'server/adapters/container',
    is: 'PostgreSQL’s own tools, run inside the server’s container.',
    knows: [],
  },
  { path: 'server/adapters/openai', is: 'Model servers that speak the OpenAI API.', knows: ['server/core'] },
  { path: 'server/adapters/pglite', is: 'PostgreSQL in this process.', knows: ['server/core', 'server/database'] },
  {
    path: 'server/http',
    is: 'The server under the routes, what a route has to state, and the OpenAPI document. Here, and nowhere else, what other rooms return becomes an HTTP error.',
    knows: ['server/access', 'server/core', 'server/database', 'server/pipeline', 'server/svid'],
  },
  {
    path: 'server/routes',
    is: 'Groups of routes, one a file: each reads a request, calls one function of a room below, and sends its result.',
    knows: [
      'server/access',
      'server/core',
      'server/governance',
      'server/http',
      'server/ledger',
      'server/observability',
      'server/pipeline',
    ],
    isSet: true,
  },
  {
    path: 'server/inspection',
    is: 'What runs in another thread: it looks through large bodies with the same steps.',
    knows: [
      'server/adapters',
      'server/core',
      'server/detection',
      'server/pipeline',
      'server/rules',
      'server/rules/check',
    ],
  },
  {
    path: 'server/process',
    is: 'What the processes share: open the database, tell the supervisor, listen, drain.',
    knows: [
      'contract',
      'server/adapters',
      'server/adapters/pglite',
      'server/config',
      'server/copies',
      'server/core',
      'server/migration',
    ],
  },
  {
    path: 'server/recovery',
    is: 'Backup sets of a host: takes, proves, lists and restores them.',
    knows: [
      'contract',
      'server/adapters',
      'server/adapters/container',
      'server/backups',
      'server/checkpoint',
      'server/core',
      'server/ledger',
      'server/migration',
      'server/observability',
    ],
  },
  {
    path: 'server/composition',
    is: 'How a gateway is put together: open the ports, create the gateway, register the routes.',
    knows: [
      'server/checkpoint',
      'server/access',
      'server/adapters',
      'server/adapters/openai',
      'server/config',
      'server/core',
      'server/http',
      'server/ledger',
      'server/observability',
      'server/pipeline',
      'server/policy',
      'server/routes',
      'server/svid',
    ],
  },
  {
    path: 'server/app.ts',
    is: 'The composition root of the gateway.',
    knows: [
      'server/adapters',
      'server/composition',
      'server/config',
      'server/core',
      'server/detection',
      'server/http',
      'server/observability',
      'server/rules',
      'server/rules/check',
    ],
  },
  {
    path: 'server',
    is: 'The processes: `main` (the gateway), `migrate`, `verify`, `backup`, `check`.',
    knows: [
      'server/checkpoint',
      'server/composition',
      'contract',
      'server/adapters',
      'server/adapters/container',
      'server/adapters/pglite',
      'server/app.ts',
      'server/backups',
      'server/config',
      'server/copies',
      'server/core',
      'server/database',
      'server/housekeeping',
      'server/ledger',
      'server/migration',
      'server/observability',
      'server/process',
      'server/recovery',
    ],
  },
]

const scripts: readonly Room[] = [
  {
    path: 'scripts/core',
    is: 'The vocabulary of the toolkit (host, resource, command, failure), quoting, templates. Knows no other room.',
    knows: ['contract'],
  },
  {
    path: 'scripts/command-line',
    is: 'The command line and its parsing: verbs, options, arguments, usage, completion, prompts.',
    knows: ['contract', 'scripts/core'],
  },
  {
    path: 'scripts/connection',
    is: 'How a host is reached: addresses, known_hosts, host keys, SSH access, sudo, batches of facts in one round trip.',
    knows: ['contract', 'scripts/command-line', 'scripts/core'],
  },
  {
    path: 'scripts/facts',
    is: 'Facts about a host: the queries, and how their output is parsed.',
    knows: ['contract', 'scripts/connection', 'scripts/core'],
  },
  {
    path: 'scripts/secrets',
    is: 'Secrets, generated on a host or provided: ids, systemd credentials, one-time secrets.',
    knows: ['contract', 'scripts/core', 'scripts/facts'],
  },
  {
    path: 'scripts/firewall',
    is: 'The packet filter: its setting, its rules, what is open to others, which rules are loaded.',
    knows: ['contract', 'scripts/core'],
  },
  {
    path: 'scripts/files',
    is: 'Changes to files, links and folders on a host, and the diffs that plans show.',
    knows: ['contract', 'scripts/core', 'scripts/facts'],
  },
  {
    path: 'scripts/history',
    is: 'The log of runs on a host: its entries and their chain, how they are written and read, which run brought a line.',
    knows: ['contract', 'scripts/core', 'scripts/facts'],
  },
  {
    path: 'scripts/artifacts',
    is: 'What is sent to a host: pins, archives, images, the release.',
    knows: ['contract', 'scripts/command-line', 'scripts/core', 'scripts/secrets'],
  },
  {
    path: 'scripts/storage',
    is: 'Storage that somebody else runs: the setting, its secrets, and what is asked of a database and a Redis, from a host, before anything is done there.',
    knows: ['contract', 'scripts/artifacts', 'scripts/core'],
  },
  {
    path: 'scripts/output',
    is: 'Output of a run, for people and programs: events, renderers, the health of a host.',
    knows: ['contract', 'scripts/core', 'scripts/facts', 'scripts/history', 'scripts/secrets', 'scripts/storage'],
  },
  {
    path: 'scripts/control',
    is: "Requests to a gateway's API, from this machine or on the host.",
    knows: ['contract', 'scripts/core', 'scripts/secrets'],
  },
  {
    path: 'scripts/bundle',
    is: 'An offline bundle: what it holds, how that is fetched, packed and signed, and how it is verified before anything of it is used.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/command-line',
      'scripts/control',
      'scripts/core',
      'scripts/facts',
    ],
  },
  {
    path: 'scripts/spec',
    is: 'The desired state of a host: specification, roles.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/bundle',
      'scripts/command-line',
      'scripts/core',
      'scripts/firewall',
      'scripts/secrets',
      'scripts/storage',
    ],
  },
  {
    path: 'scripts/inventory',
    is: 'Which hosts: those of the command line and of an inventory, its groups, and what each has of its own.',
    knows: ['scripts/artifacts', 'scripts/command-line', 'scripts/connection', 'scripts/core', 'scripts/spec'],
  },
  {
    path: 'scripts/session',
    is: 'One run on each of several hosts: connect, read the current settings, report.',
    knows: [
      'contract',
      'scripts/command-line',
      'scripts/connection',
      'scripts/core',
      'scripts/facts',
      'scripts/inventory',
      'scripts/output',
      'scripts/spec',
    ],
  },
  {
    path: 'scripts/outside',
    is: 'How the ingress of a host answers to this machine, and what a change of it is held to.',
    knows: ['contract', 'scripts/core', 'scripts/facts', 'scripts/inventory', 'scripts/output', 'scripts/spec'],
  },
  {
    path: 'scripts/converge',
    is: 'Plan, preflight, lock, apply, check: brings a host to its specification.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/command-line',
      'scripts/connection',
      'scripts/core',
      'scripts/facts',
      'scripts/history',
      'scripts/output',
      'scripts/outside',
      'scripts/secrets',
      'scripts/session',
      'scripts/spec',
      'scripts/storage',
    ],
  },
  {
    path: 'scripts/drift',
    is: 'How a host differs from what its last run left: what, since when, and by whom as far as traces tell.',
    knows: [
      'contract',
      'scripts/converge',
      'scripts/core',
      'scripts/facts',
      'scripts/history',
      'scripts/output',
      'scripts/spec',
    ],
  },
  {
    path: 'scripts/job',
    is: 'A run that goes on as a transient unit of its host: what it is given, how it is started, and how it is watched.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/command-line',
      'scripts/connection',
      'scripts/converge',
      'scripts/core',
      'scripts/facts',
      'scripts/output',
      'scripts/outside',
      'scripts/secrets',
      'scripts/session',
      'scripts/spec',
    ],
  },
  {
    path: 'scripts/journal',
    is: 'The journal of a host: which units a service has, the question, the entries.',
    knows: ['contract', 'scripts/command-line', 'scripts/core'],
  },
  {
    path: 'scripts/diagnosis',
    is: 'What a check is, what is seen of a host (on it, and from this machine), and how findings are shown.',
    knows: [
      'contract',
      'scripts/converge',
      'scripts/core',
      'scripts/inventory',
      'scripts/output',
      'scripts/outside',
      'scripts/spec',
      'scripts/storage',
    ],
  },
  {
    path: 'scripts/checks',
    is: 'Checks of a host, one subject a file: what they ask, and how each judges. A new check is a row.',
    knows: ['contract', 'scripts/converge', 'scripts/diagnosis', 'scripts/secrets', 'scripts/storage'],
    isSet: true,
  },
  {
    path: 'scripts/checkup.ts',
    is: 'The list of the subjects of checks.',
    knows: ['scripts/checks', 'scripts/diagnosis'],
  },
  {
    path: 'scripts/up',
    is: 'What `tappass up` is made of: data folder, local secrets, wizard, the gateway as a child process.',
    knows: ['contract', 'scripts/command-line', 'scripts/control', 'scripts/core'],
  },
  {
    path: 'scripts/testing',
    is: 'What `tappass test` is made of: test files, needs, plan, tally.',
    knows: [],
  },
  {
    path: 'scripts/resources',
    is: 'Kinds of things on a host, one a file: how to inspect one and plan its changes.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/control',
      'scripts/core',
      'scripts/facts',
      'scripts/files',
      'scripts/firewall',
      'scripts/secrets',
    ],
    isSet: true,
  },
  {
    path: 'scripts/roles',
    is: 'Capabilities of a host, one a file: each a list of resources.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/core',
      'scripts/facts',
      'scripts/firewall',
      'scripts/resources',
      'scripts/secrets',
      'scripts/spec',
      'scripts/storage',
    ],
    isSet: true,
  },
  {
    path: 'scripts/recipe.ts',
    is: 'The ordered list of roles.',
    knows: ['scripts/bundle', 'scripts/core', 'scripts/roles', 'scripts/spec'],
  },
  {
    path: 'scripts/runners',
    is: 'How commands reach a host: here, over SSH, read-only.',
    knows: ['contract', 'scripts/connection', 'scripts/core'],
    isSet: true,
  },
  {
    path: 'scripts/runners/connectors.ts',
    is: 'Which runner a host is reached by; the same for all commands.',
    knows: ['scripts/runners', 'scripts/session'],
  },
  {
    path: 'scripts/server-process',
    is: 'Reaches a gateway where it is (here, in a data folder, on hosts): its API, or one of its processes.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/command-line',
      'scripts/control',
      'scripts/core',
      'scripts/inventory',
      'scripts/runners/connectors.ts',
      'scripts/session',
      'scripts/spec',
      'scripts/storage',
      'scripts/up',
    ],
  },
  {
    path: 'scripts/job.ts',
    is: 'The process of a run that is a unit of its host.',
    knows: [
      'scripts/command-line',
      'scripts/history',
      'scripts/job',
      'scripts/recipe.ts',
      'scripts/runners/connectors.ts',
      'scripts/spec',
    ],
  },
  {
    path: 'scripts/commands',
    is: 'The commands, one verb a file: parse, call, print.',
    knows: [
      'contract',
      'scripts/artifacts',
      'scripts/bundle',
      'scripts/checkup.ts',
      'scripts/command-line',
      'scripts/control',
      'scripts/converge',
      'scripts/core',
      'scripts/diagnosis',
      'scripts/drift',
      'scripts/facts',
      'scripts/history',
      'scripts/inventory',
      'scripts/job',
      'scripts/journal',
      'scripts/output',
      'scripts/outside',
      'scripts/recipe.ts',
      'scripts/runners',
      'scripts/runners/connectors.ts',
      'scripts/secrets',
      'scripts/server-process',
      'scripts/session',
      'scripts/spec',
      'scripts/storage',
      'scripts/testing',
      'scripts/up',
    ],
    isSet: true,
  },
  {
    path: 'scripts',
    is: 'The table of commands; a command’s module is loaded only when it is typed.',
    knows: ['contract', 'scripts/command-line', 'scripts/commands', 'scripts/core'],
  },
]

/** All rooms, each half from the floor up: a room knows only rooms that stand before it. */
export const rooms: readonly Room[] = [contract, ...server, ...scripts]

/** The room of a file: the file itself, else the nearest folder above it that is one. Undefined outside both halves. */
export const roomOf = (path: string, table: readonly Room[] = rooms): Room | undefined => {
  for (let place = path; place.includes('/') || place !== ''; ) {
    const room = table.find((each) => each.path === place)
    if (room !== undefined) return room
    const cut = place.lastIndexOf('/')
    if (cut < 0) return undefined
    place = place.slice(0, cut)
  }
  return undefined
}
