/**
 * The log formats that the step `log` knows by name, each as a grammar and an expression made from it.
 * Invariant: the whole line has to match. No part of an expression can match the same characters in two ways, so a line costs time in
 * proportion to its length. A field that a format leaves out is null.
 */

export interface LogFormat {
  readonly expression: RegExp
  readonly fields: readonly string[]
  /** Whether `-` stands for a value that is not there. */
  readonly hasDashes: boolean
}

// common: host ident authuser [dd/Mon/yyyy:HH:MM:SS zone] "request" response bytes
// A quote within quotes has a backslash before it.
const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`
const COMMON = String.raw`(\S+) (\S+) (\S+) \[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\] ${QUOTED} (\d+|-) (\d+|-)`
const COMMON_FIELDS = ['host', 'ident', 'authuser', 'datetime', 'request', 'response', 'bytes']

// apache-error: [Day Mon dd HH:MM:SS(.frac) yyyy] [(module:)severity] ([pid N(:tid N)]) ([client host(:port)]) message
const ERROR = [
  String.raw`\[([A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}(?:\.\d+)? \d{4})\]`,
  String.raw` \[(?:([\w-]*):)?([a-z]+\d?)\]`,
  String.raw`(?: \[pid (\d+)(?::tid (\d+))?\])?`,
  String.raw`(?: \[client ([^\]]+)\])?`,
  ' ([^]*)'
].join('')

// syslog: timestamp (<n.n>) host program([pid]): message
const SYSLOG = String.raw`(?:<\d+(?:\.\d+)?> )?(\S+) ([^\s[:]+)(?:\[(\d+)\])?: ?([^]*)`
const SYSLOG_TIME = String.raw`([A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2})`
const RFC3339_TIME = String.raw`(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}))`
const SYSLOG_FIELDS = ['timestamp', 'hostname', 'program', 'processid', 'message']

export const LOG_FORMATS = {
  common: { expression: new RegExp(`^${COMMON}$`), fields: COMMON_FIELDS, hasDashes: true },
  combined: {
    expression: new RegExp(`^${COMMON} ${QUOTED} ${QUOTED}$`),
    fields: [...COMMON_FIELDS, 'referer', 'agent'],
    hasDashes: true
  },
  'apache-error': {
    expression: new RegExp(`^${ERROR}$`),
    fields: ['timestamp', 'module', 'severity', 'processid', 'threadid', 'client', 'message'],
    hasDashes: false
  },
  syslog: { expression: new RegExp(`^${SYSLOG_TIME} ${SYSLOG}$`), fields: SYSLOG_FIELDS, hasDashes: false },
  rfc3339syslog: { expression: new RegExp(`^${RFC3339_TIME} ${SYSLOG}$`), fields: SYSLOG_FIELDS, hasDashes: false }
} as const satisfies Readonly<Record<string, LogFormat>>
