/** Looks for secrets where they must not be: on a machine, in every place that others than the service may read. */
import { inside, type Server } from './server.ts'

/** A place, as a shell text that prints what can be seen there; `label` names it in results. */
type Place = Readonly<{ label: string; script: string }>

// Processes end and files go while they are looked at; that the search finds what is there is shown by a canary.
const places: readonly Place[] = [
  {
    label: '/proc/*/cmdline',
    script: 'for f in /proc/[0-9]*/cmdline; do { tr "\\0" " " <$f; echo; } 2>/dev/null; done; true',
  },
  {
    label: '/proc/*/environ',
    script: 'for f in /proc/[0-9]*/environ; do { tr "\\0" "\\n" <$f; } 2>/dev/null; done; true',
  },
  { label: 'journal', script: 'journalctl --no-pager --all --output=export' },
  { label: 'docker inspect', script: 'docker ps --all --quiet | xargs --no-run-if-empty docker inspect' },
  { label: 'docker logs', script: 'for c in $(docker ps --all --quiet); do docker logs $c 2>&1; done; true' },
  { label: 'systemctl show', script: 'systemctl show --all --no-pager "tappass*" docker.service' },
  {
    label: 'rendered files',
    script: 'cat $(find /etc/tappass /etc/systemd/system /etc/sudoers.d /etc/docker /etc/tmpfiles.d -type f)',
  },
  {
    label: 'names of files',
    script:
      'find /var/lib/tappass /opt/tappass /run/tappass /tmp /var/tmp -not -path "*/node_modules/*" 2>/dev/null; true',
  },
  {
    label: 'temporary files',
    script: 'cat $(find /tmp /var/tmp /run/tappass /root -type f -size -1024k 2>/dev/null) 2>/dev/null; true',
  },
]

/** Where is looked. */
export const placeLabels: readonly string[] = places.map(({ label }) => label)

/** The forms in which a secret may show itself: as it is, and in base64 and hexadecimal. */
const formsOf = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret)
  return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')]
}

/** A key of many lines is looked for by its longest line. */
const needleOf = (secret: string): string =>
  secret
    .trim()
    .split('\n')
    .toSorted((a, b) => b.length - a.length)[0] ?? ''

/**
 * Takes secrets by name and, by label, texts that the test has at hand (a plan, a command's output). Gives `place: name` for each secret that
 * was seen somewhere; never the secret.
 */
export const findLeaks = async (
  server: Pick<Server, 'machine'>,
  secrets: Readonly<Record<string, string>>,
  texts: Readonly<Record<string, string>>,
): Promise<readonly string[]> => {
  const seen = await Promise.all(
    places.map(async ({ label, script }) => [label, await inside(server, script)] as const),
  )
  return [...seen, ...Object.entries(texts)].flatMap(([label, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) => formsOf(needleOf(secret)).some((form) => text.includes(form)))
      .map(([name]) => `${label}: ${name}`),
  )
}
