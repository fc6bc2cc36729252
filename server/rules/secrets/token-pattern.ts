/**
 * Credentials by their format. Prefixes, lengths and alphabets are from the issuers' own documentation; a token that
 * may be longer than its shortest form extends over its alphabet. Secrets without a format of their own are in
 * assignment-pattern.ts.
 */
import { isPlaceholder } from '../../detection/entropy.ts'
import { extendWhile, type Pattern } from '../../detection/pattern.ts'
import { privateKeyEnd } from './private-key.ts'

const WORD = extendWhile(/[\w-]+/y)
const DOTTED = extendWhile(/[\w.~+/=-]+/y)

/** A value is no token when what follows its prefix is a placeholder of one repeated character. */
function isFilled(value: string): boolean {
  return !/([xX*.#-])\1{7}/.test(value)
}

/** A token with a prefix of its own: no letter or digit on its left; `shape` is its shortest form. */
function token(name: string, keywords: string, shape: RegExp, overrides: Partial<Pattern> = {}): Pattern {
  return {
    kind: `secret.${name}`,
    severity: 'critical',
    confidence: 0.95,
    keywords: keywords.split(' '),
    pattern: new RegExp(`(?<![A-Za-z0-9])(?:${shape.source})`, `dy${shape.flags}`),
    extend: WORD,
    score: (value) => (isFilled(value) ? (overrides.confidence ?? 0.95) : undefined),
    ...overrides,
  }
}

/** A token whose keyword isn't at its start; its pattern looks behind by itself. */
function inner(name: string, keywords: string, shape: RegExp, overrides: Partial<Pattern> = {}): Pattern {
  return {
    ...token(name, keywords, shape, overrides),
    pattern: new RegExp(shape.source, `dy${shape.flags}`),
  }
}

/** A token of fixed length. */
function exact(name: string, keywords: string, shape: RegExp, confidence = 0.95): Pattern {
  return token(name, keywords, new RegExp(`(?:${shape.source})(?![A-Za-z0-9])`, shape.flags), {
    confidence,
    extend: (_, end) => end,
  })
}

const BODY_FOLLOWS = `(?=[\\s"'\`\\\\,;+>|nr]{0,24}(?:[A-Za-z0-9+/=]{16}|[A-Za-z][A-Za-z-]{2,30}: |[A-Za-z0-9+/=.]{1,80}[\\s"'\`\\\\,;+>|nr]{0,24}-----END))`

/** An armoured key with a body is certain; the first line alone is text about keys. */
function privateKey(confidence: number, follows: string): Pattern {
  return {
    kind: 'secret.private_key',
    severity: confidence > 0.5 ? 'critical' : 'low',
    confidence,
    keywords: ['-----begin', '---- begin'],
    pattern: new RegExp(`-{4,5} ?BEGIN [A-Z0-9 ]{0,24}(?:PRIVATE|SECRET) KEY(?: BLOCK)? ?-{4,5}${follows}`, 'dy'),
    extend: privateKeyEnd,
  }
}

/** The password in a URL, with a span over the password alone. */
function urlPassword(value: string): number | undefined {
  return /^[a-z-]{0,8}(?:password|passwd|pass|pw|secret|guest)\d{0,4}$/i.test(value) || isPlaceholder(value)
    ? undefined
    : 0.9
}

function isJwtHeader(value: string): boolean {
  return /"(?:alg|enc|typ|kid)"\s?:/.test(Buffer.from(value.slice(0, value.indexOf('.')), 'base64url').toString())
}

/** All tokens. The order has no meaning. */
// biome-ignore format: a table, one shape a line
export const SECRET_PATTERNS: readonly Pattern[] = [
  privateKey(0.99, BODY_FOLLOWS),
  privateKey(0.4, BODY_FOLLOWS.replace('(?=', '(?!')),
  token('private_key', 'putty-user-key-file-', /PuTTY-User-Key-File-[23]: [\w-]{4,40}/, { extend: extendWhile(/(?:\r?\n(?:Private-MAC: [0-9a-f]+|[A-Za-z][A-Za-z-]{2,30}: [^\r\n]{0,160}|[A-Za-z0-9+/=]{8,80}))+/y) }),
  token('private_key', 'age-secret-key-', /AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{40}/i),
  token('private_key', '<rsakeyvalue>', /<RSAKeyValue>\s{0,8}<Modulus>/i, { extend: extendWhile(/(?:<\/?[A-Za-z]{1,12}>|[A-Za-z0-9+/=]{4,}|\s{1,8})+/y) }),

  exact('aws_access_key', 'akia asia abia acca', /A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}/),
  exact('aws_access_key', 'akia', /AKIA[A-Z0-9]{9}EXAMPLE/, 0.6),
  token('aws_secret_key', 'aws_secret secretaccesskey secret_access_key aws_session_token sessiontoken',
    /(?:aws_?)?(?:secret_?access_?key|secret_?key|session_?token)(?:_?id)?["']?\s{0,4}(?::|=>|=)\s{0,4}["']?([A-Za-z0-9/+]{40})/i,
    { extend: extendWhile(/[A-Za-z0-9/+=]+/y) }),
  token('aws_bedrock_key', 'absk bedrock-api-key-', /ABSK[A-Za-z0-9+/]{109}|bedrock-api-key-[A-Za-z0-9+/]{20}/, { extend: DOTTED }),
  exact('alibaba_key', 'ltai', /LTAI[A-Za-z0-9]{16,20}/),
  exact('tencent_key', 'akid', /AKID[A-Za-z0-9]{32}/),
  exact('google_api_key', 'aiza', /AIza[\w-]{35}/),
  token('google_oauth', 'gocspx- ya29. 1//0', /GOCSPX-[\w-]{24}|ya29\.[\w-]{20}|1\/\/0[\w-]{40}/, { extend: DOTTED }),
  token('azure_storage_key', 'accountkey=', /AccountKey=([A-Za-z0-9+/]{64})/i, { extend: DOTTED }),
  token('azure_shared_access', 'sharedaccesskey= sharedaccesssignature', /SharedAccessKey=([A-Za-z0-9+/]{40})|SharedAccessSignature=?\s?sr?=/i, { extend: DOTTED }),
  token('azure_sas', 'sig=', /sig=((?:[A-Za-z0-9+/]|%2[BbFf]){40,60}(?:=|%3[Dd]))/),
  // The prefix of an Entra client secret varies; its eight fixed characters are in the middle.
  inner('azure_client_secret', '8q~ 7q~', /(?<=(?<![\w.~-])([\w.~-]{3}))([78]Q~[\w.~-]{31,37})/),
  inner('azure_openai_key', 'jqqj99', /(?<=(?<![A-Za-z0-9])([A-Za-z0-9]{52}))(JQQJ99[A-Za-z0-9]{20})/),

  exact('github_token', 'ghp_ gho_ ghu_ ghs_ ghr_', /gh[pousr]_[A-Za-z0-9]{36,240}/),
  token('github_token', 'github_pat_', /github_pat_\w{36}/),
  token('gitlab_token', 'glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent- glimt- gloas- glffct-',
    /gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas|ffct)-[\w-]{20}/, { extend: DOTTED }),
  token('gitlab_token', 'gr1348941', /GR1348941[\w-]{20}/),
  token('bitbucket_token', 'atbb', /ATBB[A-Za-z0-9]{28}/),
  token('atlassian_token', 'atatt3 atctt3', /AT[AC]TT3[\w=-]{60}/, { extend: DOTTED }),
  token('slack_token', 'xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc- xoxd- xoxe- xoxe. xapp-', /xox[bparsocd]-[\w-]{10}|xoxe[.-][\w-]{20}|xapp-\d-[\w-]{20}/i, { extend: DOTTED }),
  token('slack_webhook', 'hooks.slack.com/', /hooks\.slack\.com\/(?:services|workflows|triggers)\/([A-Z0-9]{8}[\w/]{16})/i, { extend: extendWhile(/[\w/]+/y) }),
  token('discord_webhook', 'discord.com/api/webhooks discordapp.com/api/webhooks', /discord(?:app)?\.com\/api\/webhooks\/(\d{15,20}\/[\w-]{40})/),
  inner('telegram_token', ':aa', /(?<=(?<!\d)(\d{8,10})):(AA[\w-]{33})/),
  exact('stripe_key', 'sk_live_ sk_test_ rk_live_ rk_test_', /[sr]k_(?:live|test)_[A-Za-z0-9]{16,240}/),
  token('stripe_key', 'whsec_', /whsec_[A-Za-z0-9+/]{24}/, { extend: DOTTED }),
  exact('square_token', 'sq0atp- sq0csp- eaaa', /sq0(?:atp|csp)-[\w-]{22,43}|EAAA[\w-]{60}/),
  token('paypal_token', 'access_token$production$', /access_token\$production\$[a-z0-9]{13}\$[a-f0-9]{32}/),
  exact('shopify_token', 'shpat_ shpca_ shppa_ shpss_', /shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/),

  token('openai_key', 'sk-proj- sk-svcacct- sk-admin- sk-none-', /sk-(?:proj|svcacct|admin|None)-[\w-]{20}/),
  exact('openai_key', 'sk-', /sk-(?=[A-Za-z]{0,19}\d)[A-Za-z0-9]{20,64}/),
  token('anthropic_key', 'sk-ant-', /sk-ant-(?:[a-z]{2,8}\d{0,2}-)?[\w-]{20}/),
  token('openrouter_key', 'sk-or-', /sk-or-(?:v\d-)?[\w-]{32}/),
  token('langfuse_key', 'sk-lf-', /sk-lf-[0-9a-f]{8}-[0-9a-f-]{24}/),
  exact('huggingface_token', 'hf_ api_org_', /(?:hf|api_org)_[A-Za-z0-9]{34,40}/),
  exact('groq_key', 'gsk_', /gsk_[A-Za-z0-9]{48,56}/),
  exact('replicate_token', 'r8_', /r8_[A-Za-z0-9]{37}/),
  exact('perplexity_key', 'pplx-', /pplx-[A-Za-z0-9]{40,60}/),
  exact('xai_key', 'xai-', /xai-[A-Za-z0-9]{64,90}/),
  token('mapbox_token', 'sk.eyj', /sk\.eyJ[\w-]{40,140}\.[\w-]{20}/),
  token('nvidia_key', 'nvapi-', /nvapi-[\w-]{50}/),
  token('langsmith_key', 'lsv2_', /lsv2_(?:pt|sk)_[a-f0-9]{32}/),
  token('pinecone_key', 'pcsk_', /pcsk_\w{40}/),
  exact('elevenlabs_key', 'sk_', /sk_[a-f0-9]{48}/),
  token('tavily_key', 'tvly-', /tvly-(?:dev-)?[A-Za-z0-9]{24}/),
  token('tappass_key', 'tp_', /tp_(?:dev_|pat_|admin_)?[A-Za-z0-9_-]{40}/),

  exact('npm_token', 'npm_', /npm_[A-Za-z0-9]{36}/),
  token('npm_token', '_authtoken', /_authToken\s{0,2}=\s{0,2}["']?([\w-]{20})/),
  token('pypi_token', 'pypi-ageichlwas5vcmc pypi-agendgvzdc5wexbplm9yzw', /pypi-Ag(?:EIcHlwaS5vcmc|ENdGVzdC5weXBpLm9yZw)[\w-]{40}/),
  exact('rubygems_token', 'rubygems_', /rubygems_[a-f0-9]{48}/),
  exact('crates_token', 'cio', /cio(?=[A-Za-z]{0,31}\d)[A-Za-z0-9]{32}/),
  exact('clojars_token', 'clojars_', /CLOJARS_[a-z0-9]{60}/i),
  token('docker_token', 'dckr_pat_ dckr_oat_', /dckr_[po]at_[\w-]{24}/),
  exact('nuget_key', 'oy2', /oy2[a-z0-9]{43}/),
  token('artifactory_token', 'akcp', /AKCp[A-Za-z0-9]{68}/),

  token('digitalocean_token', 'dop_v1_ doo_v1_ dor_v1_', /do[por]_v1_[a-f0-9]{64}/),
  token('vault_token', 'hvs. hvb. hvr.', /hv[sbr]\.[\w-]{24}/),
  inner('terraform_token', '.atlasv1.', /(?<=([A-Za-z0-9]{14}))(\.atlasv1\.[\w=-]{60})/),
  token('databricks_token', 'dapi', /dapi[a-f0-9]{32}/, { extend: extendWhile(/-\d/y) }),
  token('cloudflare_key', 'v1.0-', /v1\.0-[a-f0-9]{24}-[a-f0-9]{146}/),
  token('heroku_key', 'hrku-', /HRKU-[\w-]{36}/),
  token('fly_token', 'fm1_ fm2_ fo1_', /f(?:m[12]|o1)_[\w+/=]{40}/, { extend: DOTTED }),
  token('supabase_key', 'sbp_ sb_secret_', /sbp_[a-f0-9]{40}|sb_secret_[\w-]{20}/),
  token('planetscale_token', 'pscale_', /pscale_(?:tkn|pw|oauth)_[\w.=-]{32}/, { extend: DOTTED }),
  token('doppler_token', 'dp.pt. dp.st. dp.ct. dp.sa.', /dp\.(?:pt|st|ct|sa)\.[\w.-]{40}/, { extend: DOTTED }),
  token('pulumi_token', 'pul-', /pul-[a-f0-9]{40}/),
  token('tailscale_key', 'tskey-', /tskey-[a-z]{3,10}-[\w-]{20}/),
  token('onepassword_token', 'ops_eyj a3-', /ops_eyJ[\w=-]{100}|A3-[A-Z0-9]{6}-[A-Z0-9]{6,11}(?:-[A-Z0-9]{5}){3,5}/, { extend: DOTTED }),

  token('sendgrid_key', 'sg.', /SG\.[\w-]{22}\.[\w-]{43}/),
  exact('mailgun_key', 'key-', /key-[a-f0-9]{32}/),
  inner('mailchimp_key', '-us', /(?<=(?<![a-f0-9])([a-f0-9]{32}))(-us\d{1,2})/),
  token('brevo_key', 'xkeysib-', /xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}/),
  exact('twilio_key', 'sk', /SK[a-f0-9]{32}/, 0.8),
  token('grafana_token', 'glc_ glsa_', /glc_[A-Za-z0-9+/]{32}|glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}/, { extend: DOTTED }),
  token('newrelic_key', 'nrak- nrii- nrjs-', /NR(?:AK|II|JS)-[A-Za-z0-9_-]{19}/),
  token('dynatrace_token', 'dt0c01. dt0s01.', /dt0[cs]01\.[A-Z0-9]{24}\.[A-Z0-9]{64}/i),
  token('sentry_token', 'sntrys_ sntryu_', /sntry[su]_[\w+/=]{40}/, { extend: DOTTED }),
  token('postman_key', 'pmak-', /PMAK-[a-f0-9]{24}-[a-f0-9]{34}/),
  exact('linear_key', 'lin_api_ lin_oauth_', /lin_(?:api|oauth)_[A-Za-z0-9]{32,64}/),
  exact('notion_token', 'ntn_ secret_', /ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43}/),
  token('figma_token', 'figd_ figo_', /fig[do]_[\w-]{36}/),
  token('airtable_token', 'pat', /pat[A-Za-z0-9]{14}\.[a-f0-9]{64}/),
  exact('easypost_key', 'ezak ezat', /EZ[AT]K[A-Za-z0-9]{54}/),
  token('plaid_token', 'access-sandbox- access-development- access-production-', /access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f-]{27}/),
  exact('razorpay_key', 'rzp_live_ rzp_test_', /rzp_(?:live|test)_[A-Za-z0-9]{14}/, 0.8),
  token('contentful_token', 'cfpat-', /CFPAT-[\w-]{43}/),
  token('sonar_token', 'sqp_ squ_ sqa_', /sq[pua]_[a-f0-9]{40}/),
  token('openshift_token', 'sha256~', /sha256~[\w-]{43}/),

  token('jwt', 'eyj', /eyJ[\w-]{14,230}\.eyJ[\w-]{8}/, { extend: DOTTED, confidence: 0.9, score: (value) => (isJwtHeader(value) ? 0.9 : undefined) }),
  inner('connection_string', '://', /(?<=(?:postgres|postgresql|mysql|mariadb|mongodb|mongodb\+srv|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb|ftps?|sftp|smtps?|ldaps?|kafka|nats|mqtts?)(?:\+\w{1,12})?):\/\/[^\s:@/"'<>]{0,64}:([^\s@/"'<>]{3,128})@[\w.[\]%-]/i,
    { extend: (_, end) => end, score: urlPassword }),
  inner('url_password', '://', /(?<=https?|git|ssh):\/\/[^\s:@/"'<>]{0,64}:([^\s@/"'<>]{3,128})@[\w.-]/i, { extend: (_, end) => end, score: urlPassword }),
  token('password_hash', '$2a$ $2b$ $2y$ $6$ $5$ $y$ $argon2', /\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$[56]\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}|\$y\$[./A-Za-z0-9]{1,12}\$[./A-Za-z0-9]{8,32}\$[./A-Za-z0-9]{43}|\$argon2i?d?\$v=\d\d\$[\w=,]{8,40}\$[+/A-Za-z0-9]{8,64}\$[+/A-Za-z0-9]{16}/,
    { severity: 'high', extend: extendWhile(/[./+A-Za-z0-9]+/y), confidence: 0.7 }),
]
