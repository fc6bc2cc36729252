/** A certificate of its own for `localhost`, as servers and clients in tests show it. Needs: openssl. */
import { execFileSync } from 'node:child_process'

/** Writes `PATH.key` and `PATH.crt`, valid for two days. */
export function makeCertificate(path: string): void {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const out = ['-keyout', `${path}.key`, '-out', `${path}.crt`]
  execFileSync('openssl', ['req', '-x509', ...key, ...out, ...subject], { stdio: 'ignore' })
}
