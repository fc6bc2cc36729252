/** The secrets of the host: there, readable, closed to others, and not too old. None of them is shown. */
import { HOST_PATH } from '../../contract/path.ts'
import { EARLIER_VAULT_KEYS_ID } from '../../contract/secret.ts'
import { STORAGE_CREDENTIAL_IDS } from '../../contract/storage.ts'
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import { ROTATION_KINDS } from '../secrets/secret-rotation.ts'
import { ADDRESS_ID, isExternal, type StoragePart, type StorageSettings } from '../storage/storage-spec.ts'

const DAYS_MAX = 365

const PROBE = `
now=$(date +%s)
for id in ${[...GENERATED_SECRET_IDS, EARLIER_VAULT_KEYS_ID, ...OPTIONAL_SECRET_IDS, ...STORAGE_CREDENTIAL_IDS].join(' ')}; do
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

/** With a database elsewhere its address takes the place of the passwords. */
function neededIds(settings: StorageSettings): readonly string[] {
  const own = GENERATED_SECRET_IDS.filter(
    (id) => ROTATION_KINDS[id] !== 'password' || !isExternal(settings, 'database'),
  )
  const addresses = Object.entries(ADDRESS_ID).filter(([part]) => isExternal(settings, part as StoragePart))
  return [...own, ...addresses.map(([, id]) => id)]
}

/** Secrets. */
export const secrets: Topic = {
  name: 'secrets',
  probe: PROBE,
  checks: [
    {
      id: 'secrets.stored',
      what: 'every secret that a run makes is there',
      isInstalled: true,
      judge: ({ probe, spec }) =>
        none(
          neededIds(spec).filter((id) => !probe.all('stored').includes(id)),
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
        const rows = probe.all('age').map((row) => row.split(' '))
        // Earlier keys are used for nothing new.
        const old = rows.filter(([days, id]) => Number(days) > DAYS_MAX && id !== EARLIER_VAULT_KEYS_ID)
        return none(
          old.map(([, id = '']) => id),
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
