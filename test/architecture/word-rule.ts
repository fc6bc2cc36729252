/** Home-made words that were replaced by the field's terms, so that they do not come back. */
import { isIdentifier, SyntaxKind } from 'typescript/unstable/ast'
import { type Breach, placeOf, type Rule, type Source, walk } from './source.ts'

/** The half of the tree that a row is for. */
type Half = 'server' | 'scripts' | 'both'

/** What is not used in a half, and what is used instead. A pattern is matched against whole identifiers and names of files. */
export type ReplacedWord = Readonly<{ half: Half; old: RegExp; use: string }>

const row = (half: Half, old: RegExp, use: string): ReplacedWord => ({ half, old, use })

/** Names of files are compared without their extension, identifiers without a leading `#`. */
// biome-ignore format: a table, one word a line
export const replacedWords: readonly ReplacedWord[] = [
  row('server', /^make[A-Z]/, 'create…'),
  // access
  row('server', /^(door|make)$|Door|^admit(Agent)?$/, 'Authenticator, authorize, authenticateAgent'),
  row('server', /^(KnownKeys?|KEY_BELIEVED_MS|believed|is_use_news|noteUse)$/, 'KeyCache, KeyRow, KEY_CACHE_TTL_MS, cached, should_touch, touch'),
  row('server', /^(Register|By|Keyed|wantedAgent|exchangeKey|giveDeveloperKey)$/, 'AgentService, Actor, IssuedKey, readAgent, rotateAgentKey, createDeveloperKey'),
  // governance and http
  row('server', /^[Aa]sk(ed|ing)(Of)?$/, 'GovernedRequest, RequestDecision, requestOf'),
  row('server', /^(BodyRoom|ROOM_BYTES|body-room)$/, 'BodyBudget, IN_FLIGHT_BYTES_MAX, body-budget'),
  row('server', /^([Ff]rame|onceGone)$/, 'HttpServerOptions, http-server, onClose'),
  row('server', /^(Around|waitForParts|PARTS_WAIT_MS)$/, 'AppDependencies, waitForDependencies, DEPENDENCY_WAIT_MS'),
  row('server', /^([Uu]pstream-?[Aa]nswer|readAnswer|readWhole)$/, 'UpstreamResponse, readResponse, readBytes'),
  // pipeline
  row('server', /^(KnownMessages|Recollection|findAll|remember|recall)$/, 'FindingCache, CacheLookup, merge, store, peek or lookup'),
  row('server', /^(examine|lookThrough|lookAgain|notAsked)$/, 'runSteps, runUngated, runCacheable, skipped'),
  row('server', /^(isLocal|REFUSED_BEFORE)$/, 'isCacheable, GATE_REFUSED'),
  row('server', /^([Aa]ssess(ment)?|inscribe\w*|Judged|Judgement|judgementEntry)$/, 'evaluate, Evaluation, appendDecision, RecordedDecision, JudgeResult, decisionEntry'),
  row('server', /^(Facts|Recorder)$/, 'EntryDetails, EntryContext'),
  // stream and protocol
  row('server', /^(Growths?|growths?|grow|Skeletons?|skeletons?|takeApart|takeIn|compose|Wholes?|wholes)$/, 'TextDelta, appendDelta, ChunkShell, splitChunk, acceptChunks, buildChunk, AtomicField'),
  row('server', /^(Flow|flow|Arrival|Advance|advance|Ending|ending|conclude)$/, 'StreamState, StreamRead, StreamStep, StreamEnd, endStream'),
  row('server', /^(ArrivingBytes|Tap|holdBack|goOn|tellReader)$/, 'ResponseBody, FlowControl, pause, resume, notifyReader'),
  row('server', /^(KEY_MARK|QUOTING_PART|isTelling|speakerOf)$/, 'KEY_SUFFIX, TOOL_OUTPUT_PART, isFreeText, authorOf'),
  // detection
  row('server', /^(Opening|opening|\w+Opening|open(At|able|Start)|Openable|undecided)$/, 'PendingFrom, pendingFrom…, pendingAt, PartialPattern, partialMatchPattern'),
  row('server', /^(reachChars|REACH_CHARS)$/, 'matchCharsMax, MATCH_CHARS_MAX'),
  row('server', /^([Ss]urfaces?|ODDITY|oddity|LOOK_ALIKES|sureTo)$/, 'Normalized, normalize, ESCAPES_AND_CONFUSABLES, CONFUSABLES, stableTo'),
  row('server', /^([Rr]eadings?(Of)?|segmentReadings)$/, 'TextVariant, variantsOf, segmentVariants'),
  row('server', /^(inspectAll|Look|lookUp|matchesAtEdges|vague|VAGUE|isVague)$/, 'scanSegments, Matcher, lookup, matchesAcrossParts, yielding'),
  row('server', /^(over|isHeard|[dD]etectManners?|manners?)$/, 'extendWhile, appliesTo, classifyText'),
  row('server', /^(Sight|sights?|UNSEEN\w*)$/, 'UnicodeMatch, matches, INVISIBLE_RUN'),
  // ledger, migration, database
  row('server', /^(Ground|flaw)$/, 'LedgerContext, findFlaw'),
  row('server', /^([Pp]ictures?|Catalog|catalog|\w+Catalogs?|findUnfitness|forgedPicture)$/, 'SchemaSnapshot, snapshot, checkServer'),
  row('server', /^(LedgerRow|underMigrationLock|MigrationVerdict|asWanted)$/, 'SchemaHistoryRow, withMigrationLock, MigrationVerification, upToDate'),
  row('server', /^(cradle|workshop|madeIn)$/, 'stagingPath, stagingFolder, stagedPath'),
  // dialogue
  row('server', /^(tell|told|said|say|hear|why)$/, 'emit, appended, message, log, onLine, reason'),
  row('server', /^(anew|mend)$/, 'again, fix'),
  // toolkit: host, facts, dialogue
  row('scripts', /^make[A-Z]/, 'create…, generate…'),
  row('scripts', /^([Tt]ell|told|said|[Hh]earing|lineHearer|say)$/, 'emit, Emit, ApplyListener, splitLines, output'),
  row('scripts', /^([Kk]now|knowing|[Jj]oint|Question|questions|questionScript|askAll|readBatch|lookAround|look|Circumstances)$/, 'getFact, createFactReader, BatchQuery, query, factScript, parseBatch, gatherPreflightFacts, PreflightFacts'),
  row('scripts', /^([Ww]anted\w*|WANTED_OPTIONS|Written(Spec)?|readWrittenSpec|asWanted)$/, 'desired…, SPEC_OPTIONS, ParsedSpec, upToDate'),
  row('scripts', /^([Hh]ands|AtHand|Done|bringAbout|onEachHost|settle|workOn|lanes?)$/, 'HostSession, ConvergeContext, HostResult, runHost, forEachHost, convergeResource'),
  row('scripts', /^([Ss]urvey|Chapter|chapters|chosenResources|inForce|settingsInForce)$/, 'HostInspection, RoleResources, selectResources, currentSettings'),
  row('scripts', /^(faults?|\w+Faults|refusal|opinion|ProviderOpinion|disbelief|GRAVITY|BY_GRAVITY)$/, '…Problems, refusedFailure, status, SEVERITY'),
  // toolkit: lock, connection
  row('scripts', /^([Kk]eeper|underLock|respectLock|[Jj]udgement|judgeLock|judgeHostKey|HostKeyVerdict|LockRecord|aliveIntervalMs|[Pp]atience)$/, 'LockHolder, withLock, assertUnlocked, LockDecision, checkHostKey, HostKeyStatus, LockFile, keepaliveIntervalMs, SshTimeouts'),
  row('scripts', /^(underSudo|sudoRefusal|needsRoot|reachHost|Reached)$/, 'withSudo, sudoDenial, rootRequired, connectTarget'),
  // toolkit: files, secrets, local
  row('scripts', /^([Ww]orkshop|openWorkshop|clearWorkshop|madeIn|swapIn|layDown|unpacking)$/, 'stagingFolder, prepareStaging, stagedPath, swapInto, install'),
  row('scripts', /^(unshown|UNSHOWN_FOLDER|unshownFact|reveal\w*|shop)$/, 'oneTimeSecretsFact, showSecretCommand'),
  row('scripts', /^(Prohibition|prohibition|dismissals|mending|mend|leaving)$/, 'groupsForbidden, removals, repairs, leaveGroup'),
  row('scripts', /^(ReleasePack|Kept|keptIn|openKept|note|readNote|writeNote|removeNote|lastWords|around|environmentFromAround|Surroundings)$/, 'ReleaseArchive, DataFolder, readJsonFile, writeJsonFile, lastLogLines, environment, CliEnvironment'),
  row('scripts', /^([Pp]aper|talk|typedLine|[Cc]onsent(Of)?|mayAsk|ByHost|forHost|anew)$/, 'OutputStreams, stderr, commandHint, createConfirm, isInteractive, PerHost, resolvePerHost, again'),
]

const halfOf = ({ path }: Source): string | undefined => /^(server|scripts)\//.exec(path)?.[1]

const fileName = (path: string): string => path.split('/').at(-1)?.replace(/\.ts$/, '') ?? ''

const wordsOf = (source: Source): readonly Readonly<{ text: string; where: string }>[] => [
  { text: fileName(source.path), where: `${source.path}:1` },
  ...[...walk(source.file)]
    .filter((node) => isIdentifier(node) || node.kind === SyntaxKind.PrivateIdentifier)
    .map((node) => ({ text: node.getText(source.file).replace(/^#/, ''), where: placeOf(source, node) })),
]

const words: Rule = {
  name: 'replaced words are not used',
  check: (sources) =>
    sources.flatMap((source): readonly Breach[] => {
      const half = halfOf(source)
      const rows = replacedWords.filter((each) => half !== undefined && (each.half === half || each.half === 'both'))
      return rows.length === 0
        ? []
        : wordsOf(source).flatMap(({ text, where }) => {
            const found = rows.find(({ old }) => old.test(text))
            return found === undefined ? [] : [{ rule: words.name, where, what: `${text}: ${found.use}` }]
          })
    }),
}

/** All rules about words. */
export const wordRules: readonly Rule[] = [words]
