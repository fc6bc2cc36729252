/** What stands beside the database: Redis, the checkpoints of the ledger, and the backups. */
import { HOST_PATH } from '../../contract/path.ts'
import { fail, none, ofContainer, ok, skip, type Topic, warn } from '../diagnosis/check.ts'

const PROBE = String.raw`
redis() { timeout 5 docker exec tappass-redis redis-cli -s /tappass/run/redis.sock "$@" 2>&1; }
echo "redis-default $(redis ping | head -n 1)"
echo "redis-ours $(redis --user tappass --pass none --no-auth-warning ping | head -n 1)"
echo "redis-flush $(redis --user tappass --pass none --no-auth-warning config get maxmemory | head -n 1)"
now=$(date +%s)
newest=$(find ${HOST_PATH.checkpointFolder} -type f -printf '%T@\n' | sort -n | tail -n 1); [ -z "$newest" ] || echo "checkpoint-age $((now - ${'$'}{newest%.*}))"
find ${HOST_PATH.checkpointFolder} -type f -size 0 -printf 'empty-checkpoint %f\n' -quit
dump=$(ls -1td ${HOST_PATH.backupFolder}/tappass-*Z ${HOST_PATH.backupFolder}/tappass-*.dump | head -n 1); [ -z "$dump" ] || echo "dump $(du -sk "$dump" | cut -f 1) $(df -Pk ${HOST_PATH.backupFolder} | sed -n '2s/^[^ ]* *[0-9]* *[0-9]* *\([0-9]*\).*/\1/p')"
echo "backups $(ls -1 ${HOST_PATH.backupFolder} | wc -l)"
for set in ${HOST_PATH.backupFolder}/tappass-*Z; do [ ! -d "$set" ] || [ -e "$set/verified.json" ] || echo "unproven ${'$'}{set##*/}"; done
newest=$(ls -1d ${HOST_PATH.backupFolder}/tappass-*Z | tail -n 1); [ -z "$newest" ] || [ -e "$newest/secrets.age" ] || echo "unsealed ${'$'}{newest##*/}"`

/** Redis, checkpoints, backups. */
export const storage: Topic = {
  name: 'storage',
  probe: PROBE,
  checks: [
    ...ofContainer('redis', [
      {
        id: 'storage.redis',
        what: 'Redis answers the gateway',
        isInstalled: true,
        judge: ({ probe }) =>
          probe.one('redis-ours') === 'PONG'
            ? ok()
            : fail(probe.one('redis-ours') || 'no answer', 'tappass logs redis --lines 50'),
      },
      {
        id: 'storage.redis-closed',
        what: 'Redis does nothing for anybody else',
        isInstalled: true,
        judge: ({ probe }) => {
          if (probe.one('redis-ours') !== 'PONG') return skip('Redis does not answer')
          return /^NOAUTH/.test(probe.one('redis-default'))
            ? ok()
            : fail(
                'the default user may ask: its list of rights is not ours',
                'tappass bootstrap; systemctl restart tappass-redis   (on the host)',
              )
        },
      },
      {
        id: 'storage.redis-rights',
        what: 'the gateway may count in Redis, and no more',
        isInstalled: true,
        judge: ({ probe }) => {
          if (probe.one('redis-ours') !== 'PONG') return skip('Redis does not answer')
          return /^NOPERM/.test(probe.one('redis-flush'))
            ? ok()
            : fail(
                'the gateway’s user may configure Redis',
                'tappass bootstrap; systemctl restart tappass-redis   (on the host)',
              )
        },
      },
    ]),
    {
      id: 'storage.checkpoint',
      what: 'the ledger is signed outside its database',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('checkpoint-age') === ''
          ? fail(
              `there is no checkpoint in ${HOST_PATH.checkpointFolder}`,
              'tappass logs gateway --since 1h; tappass audit verify',
            )
          : ok(`the newest is ${Math.floor(probe.number('checkpoint-age') / 60)} min old`),
    },
    {
      id: 'storage.checkpoint-whole',
      what: 'no checkpoint is empty',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('empty-checkpoint'), (names) =>
          fail(`empty: ${names}: the disk was full, or lost it in a power cut`, 'tappass audit verify'),
        ),
    },
    ...ofContainer('database', [
      {
        id: 'storage.backup',
        what: 'the last backup is there, verified and not too old',
        isInstalled: true,
        judge: ({ health }) => {
          const { isWell = false, state = 'unknown' } = health.conditions.find(({ name }) => name === 'backup') ?? {}
          return isWell
            ? ok(state)
            : fail(state, 'tappass logs backup; then sudo systemctl start tappass-backup   (on the host)')
        },
      },
      {
        id: 'storage.point-in-time',
        what: 'any moment of the last days can be gone back to',
        isInstalled: true,
        judge: ({ health }) => {
          const found = health.conditions.find(({ name }) => name === 'point-in-time')
          if (found === undefined) return skip('backup.pointInTimeDays is 0: the log is not archived')
          return found.isWell
            ? ok(found.state)
            : fail(found.state, 'tappass logs postgres --lines 50; then tappass backup create')
        },
      },
      {
        id: 'storage.backup-copy',
        what: 'backups are copied to the store of the settings',
        isInstalled: true,
        judge: ({ health }) => {
          const found = health.conditions.find(({ name }) => name === 'backup-copy')
          if (found === undefined) return skip('backup.store is not set: backups are on this host alone')
          return found.isWell
            ? ok(found.state)
            : fail(
                found.state,
                'tappass logs backup-copy; then sudo systemctl start tappass-backup-copy   (on the host)',
              )
        },
      },
      {
        id: 'storage.backup-room',
        what: 'there is room for the next backup',
        isInstalled: true,
        judge: ({ probe }) => {
          const [size = Number.NaN, free = Number.NaN] = probe.one('dump').split(' ').map(Number)
          if (!(size >= 0) || probe.one('dump') === '') return skip('there is no backup yet')
          return free < size * 2
            ? fail(
                `the last one has ${Math.floor(size / 1024)} MB, ${Math.floor(free / 1024)} MB are free`,
                'backup.keepDaily in host.yaml, or a larger disk',
              )
            : ok()
        },
      },
      {
        id: 'storage.backup-whole',
        what: 'every backup was restored as a proof',
        isInstalled: true,
        judge: ({ probe }) =>
          none(probe.all('unproven'), (names) => warn(`not proven, or being taken: ${names}`, 'tappass backup verify')),
      },
      {
        id: 'storage.backup-secrets',
        what: 'backups hold the secrets, sealed',
        isInstalled: true,
        judge: ({ probe }) =>
          none(probe.all('unsealed'), (names) =>
            warn(
              `${names} has none: after a loss of this server nothing could be decrypted`,
              'tappass backup key create --out FILE, then backup.recoveryKey in host.yaml',
            ),
          ),
      },
    ]),
  ],
}
