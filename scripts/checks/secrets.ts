/** The secrets of the host: there, readable, closed to others, and not too old. None of them is shown. */
import { HOST_PATH } from '../../contract/path.ts'
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'

const DAYS_MAX = 365

const PROBE = `
now=$(date +%s)
for id in ${[...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS].join(' ')}; do
  for next in '' -next; do
    path=${HOST_PATH.encryptedCredentialsFolder}/$id$next; kind=encrypted
    [ -e "$path" ] || { path=${HOST_PATH.credentialsFolder}/$id$next; kind=plain; }
    [ -e "$path" ] || continue
    echo "stored $id$next"
    [ "$kind" = plain ] || systemd-creds decrypt --name="$id$next" "$path" - >/dev/null || echo "unreadable $id$next"
    case $(stat -c '%U %a' "$path") in 'root 600' | 'root 400') ;; *) echo "open-secret $id$next" ;; esac
    [ -s "$path" ] || echo "empty $id$next"
    echo "age $(( (now - $(stat -c %Y "$path")) / 86400 )) $id$next"
  done
done
[ ! -e ${HOST_PATH.encryptedCredentialsFolder}/${GENERATED_SECRET_IDS[0]} ] || stat -c 'host-key %U %a' /var/lib/systemd/credential.secret || echo 'host-key absent'
ls ${HOST_PATH.unshownSecretsFolder} | sed 's/^/unshown /'
ls -d /run/tappass-secret.* | sed 's/^/litter /'`

/** Secrets. */
export const secrets: Topic = {
  name: 'secrets',
  probe: PROBE,
  checks: [
    {
      id: 'secrets.stored',
      what: 'every secret that a run makes is there',
      isInstalled: true,
      judge: ({ probe }) =>
        none(
          GENERATED_SECRET_IDS.filter((id) => !probe.all('stored').includes(id)),
          (ids) => fail(`missing: ${ids}`, 'restore them from where you keep them, then tappass bootstrap'),
        ),
    },
    {
      id: 'secrets.readable',
      what: 'every secret can be decrypted here',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('unreadable'), (ids) =>
          fail(
            `sealed for another machine, or damaged: ${ids}; the units that need them do not start`,
            'provide them: tappass bootstrap --secret ID=FILE',
          ),
        ),
    },
    {
      id: 'secrets.closed',
      what: 'only root reads the files of the secrets',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('open-secret'), (ids) =>
          fail(`owner or mode are others: ${ids}`, 'tappass bootstrap; then rotate them: tappass secrets rotate ID'),
        ),
    },
    {
      id: 'secrets.empty',
      what: 'no secret is empty',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('empty'), (ids) => fail(`empty: ${ids}`, 'provide them: tappass bootstrap --secret ID=FILE')),
    },
    {
      id: 'secrets.host-key',
      what: 'the key that seals them is root’s',
      isInstalled: true,
      judge: ({ probe }) => {
        const found = probe.one('host-key')
        if (found === '') return skip('this systemd does not seal secrets')
        return /^root [46]00$/.test(found)
          ? ok()
          : fail(
              `/var/lib/systemd/credential.secret: ${found}`,
              'sudo chown root: /var/lib/systemd/credential.secret && sudo chmod 400 /var/lib/systemd/credential.secret   (on the host)',
            )
      },
    },
    {
      id: 'secrets.unshown',
      what: 'somebody has the administrator’s key',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('unshown'), (ids) => warn(`never shown: ${ids}`, 'tappass bootstrap shows it once')),
    },
    {
      id: 'secrets.age',
      what: 'secrets are rotated',
      isInstalled: true,
      judge: ({ probe }) => {
        // The vault key stays for ever: it is what old entries are proven with.
        const old = probe.all('age').filter((row) => Number(row.split(' ')[0]) > DAYS_MAX && !row.includes('vault-key'))
        return none(
          old.map((row) => row.split(' ')[1] ?? ''),
          (ids) => warn(`older than a year: ${ids}`, 'tappass secrets rotate ID'),
        )
      },
    },
    {
      id: 'secrets.overlap',
      what: 'no rotation waits for its end',
      isInstalled: true,
      judge: ({ probe }) =>
        none(
          probe.all('stored').filter((id) => id.endsWith('-next')),
          (ids) =>
            warn(`both values are good: ${ids}`, 'when nobody uses the old one: tappass secrets rotate ID --finish'),
        ),
    },
    {
      id: 'secrets.litter',
      what: 'no secret lies about in /run',
      judge: ({ probe }) =>
        none(probe.all('litter'), (paths) =>
          fail(`left by a run that was killed: ${paths}`, `sudo rm -rf /run/tappass-secret.*   (on the host)`),
        ),
    },
  ],
}
