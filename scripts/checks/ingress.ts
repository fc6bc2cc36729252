/** The way in, seen on the host: certificate, Caddy, the gateway behind it. */
import { HOST_PATH } from '../../contract/path.ts'
import { fail, ok, skip, type Topic, warn } from '../diagnosis/check.ts'

const PROBE = String.raw`
name=$(sed -n 's/^TAPPASS_NAME=//p' ${HOST_PATH.caddyEnvironment}); http=$(sed -n 's/^TAPPASS_HTTP_PORT=//p' ${HOST_PATH.caddyEnvironment}); https=$(sed -n 's/^TAPPASS_HTTPS_PORT=//p' ${HOST_PATH.caddyEnvironment})
[ -n "$https" ] || exit 0
echo "through $(curl -sk --max-time 5 --resolve "$name:$https:127.0.0.1" "https://$name:$https/health" -o /dev/null -w '%{http_code}')"
echo "redirect $(curl -s --max-time 5 -H "Host: $name" "http://127.0.0.1:$http/health" -o /dev/null -w '%{http_code}')"
curl -sk --max-time 5 --resolve "$name:$https:127.0.0.1" "https://$name:$https/health" -o /dev/null -D - | tr -d '\r' | sed -n 's/^\([Ss]trict-[Tt]ransport-[Ss]ecurity\): .*/header \1/p'
echo "caddyfile $(TAPPASS_SITE=https://x TAPPASS_NAME=x TAPPASS_TLS=internal timeout 5 ${HOST_PATH.currentCaddy}/caddy adapt --config ${HOST_PATH.caddyfile} >/dev/null 2>&1 && echo valid || echo wrong)"
certificates=$(find ${HOST_PATH.caddyStateFolder} -name '*.crt' | wc -l); echo "certificates $certificates"`

const CERTIFICATES_MAX = 200

const NO_INGRESS = 'the setting ingress is none'

/** The ingress. */
export const ingress: Topic = {
  name: 'ingress',
  probe: PROBE,
  checks: [
    {
      id: 'ingress.gateway',
      what: 'the gateway is healthy',
      isInstalled: true,
      judge: ({ health }) =>
        health.gateway === 'healthy' ? ok() : fail(health.gateway, 'tappass logs gateway --lines 50'),
    },
    {
      id: 'ingress.release',
      what: 'a release is in force',
      isInstalled: true,
      judge: ({ health }) =>
        health.release === ''
          ? fail(`${HOST_PATH.currentRelease} leads nowhere`, 'tappass bootstrap')
          : ok(health.release),
    },
    {
      id: 'ingress.certificate',
      what: 'the certificate is there and was renewed in time',
      isInstalled: true,
      judge: ({ health, spec }) => {
        if (spec.ingress === 'none') return skip(NO_INGRESS)
        const { isWell = false, state = 'unknown' } = health.conditions.find(({ name }) => name === 'certificate') ?? {}
        return isWell ? ok(state) : fail(state, 'tappass logs caddy --since 1d')
      },
    },
    {
      id: 'ingress.through',
      what: 'the gateway answers through TLS',
      isInstalled: true,
      judge: ({ probe, spec }) => {
        if (spec.ingress === 'none') return skip(NO_INGRESS)
        return probe.one('through') === '200'
          ? ok()
          : fail(`/health through Caddy gives ${probe.one('through') || 'nothing'}`, 'tappass logs caddy --lines 50')
      },
    },
    {
      id: 'ingress.redirect',
      what: 'plain HTTP leads to TLS',
      isInstalled: true,
      judge: ({ probe, spec }) => {
        if (spec.ingress === 'none') return skip(NO_INGRESS)
        return /^30[1278]$/.test(probe.one('redirect'))
          ? ok()
          : fail(`plain HTTP gives ${probe.one('redirect') || 'nothing'}`, 'tappass logs caddy --lines 50')
      },
    },
    {
      id: 'ingress.header',
      what: 'browsers are told to stay with TLS',
      isInstalled: true,
      judge: ({ probe, spec }) => {
        if (spec.ingress === 'none') return skip(NO_INGRESS)
        if (probe.one('through') !== '200') return skip('nothing answers')
        return probe.all('header').length > 0
          ? ok()
          : warn('there is no Strict-Transport-Security', 'tappass bootstrap: the Caddyfile is another one than ours')
      },
    },
    {
      id: 'ingress.caddyfile',
      what: 'Caddy understands its file',
      isInstalled: true,
      judge: ({ probe, spec }) => {
        if (spec.ingress === 'none') return skip(NO_INGRESS)
        return probe.one('caddyfile') === 'wrong'
          ? fail(`${HOST_PATH.caddyfile} is not valid: Caddy would not start again`, 'tappass bootstrap')
          : ok()
      },
    },
    {
      id: 'ingress.certificates',
      what: 'nobody fills the disk with certificates',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.number('certificates') > CERTIFICATES_MAX
          ? warn(`${probe.one('certificates')} certificates`, `ls ${HOST_PATH.caddyStateFolder}   (on the host)`)
          : ok(),
    },
  ],
}
