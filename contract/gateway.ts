/** Where a gateway is reached and how much one agent may ask of it, unless settings say otherwise. */

/** The port of the gateway's HTTP API. The systemd socket and the Caddyfile name it too; a test compares them. */
export const GATEWAY_PORT = 9620

/** Where agents come with an X.509-SVID, on the same address. `units/tappass-spiffe.socket` names it too. */
export const SPIFFE_PORT = 9621

/** The address that it listens on: this machine only. */
export const GATEWAY_HOST = '127.0.0.1'

/** Calls of one agent within a window: a brake on runaway loops, not a quota. */
export const RATE_CALLS_DEFAULT = 60_000

/** Length of that window. */
export const RATE_WINDOW_SECONDS_DEFAULT = 60

/** How traces are sent, OTEL_EXPORTER_OTLP_PROTOCOL and `traces.protocol`: names of OpenTelemetry, as those of the samplers. */
export const TRACE_TERMS = {
  protocols: ['http/protobuf', 'grpc'],
  /** Which calls are traced, OTEL_TRACES_SAMPLER and `traces.sampler`. */
  samplers: [
    'always_on',
    'always_off',
    'traceidratio',
    'parentbased_always_on',
    'parentbased_always_off',
    'parentbased_traceidratio',
  ],
} as const

/** What TAPPASS_LOG_LEVEL and `gateway.logLevel` may say, from the least said to the most (pino's names). */
export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
