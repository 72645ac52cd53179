/**
 * Looks for canaries in whatever a program can print: texts, errors with their causes, loggers, objects.
 * Invariant: a canary is found in every form in which bytes or text get printed: as it is, base64, hex, or as numbers.
 */
import { inspect } from 'node:util'
import type { Logger } from '../../../src/index.ts'

export const CANARIES = {
  secretAccessKey: 'canarySecretAccessKey7f3a91',
  sessionToken: 'canarySessionToken9b1c62',
  payload: 'canaryPayload5d2e84',
  partitionKey: 'canaryPartitionKey4a6f37'
} as const

/** Not a secret: the service itself puts it into messages, and operators look for it. */
export const ACCESS_KEY_ID = 'AKIACANARYCANARY'

type CanaryName = keyof typeof CANARIES

const MAX_CAUSES = 10
/** Bytes of a canary looked for where bytes are printed as numbers: the runtime prints only the first of many. */
const PRINTED_BYTES = 12
const BYTE_BITS = 8
const DIGIT_BITS = 6

/** What was seen of canaries, by the place where it was printed: `'partitionKey in error.message'`. */
export class Witness {
  readonly found = new Set<string>()
  /** Texts looked at: a test that looks at nothing proves nothing. */
  textCount = 0

  text(place: string, text: string): void {
    this.textCount++
    for (const name of canariesIn(text)) this.found.add(`${name} in ${place}`)
  }

  /** In every way in which a value is commonly printed. */
  value(place: string, value: unknown): void {
    this.text(`inspect(${place})`, inspect(value, { depth: 10, showHidden: true, maxStringLength: null }))
    this.text(`JSON.stringify(${place})`, JSON.stringify(value) ?? '')
    this.text(`String(${place})`, String(value))
  }

  error(error: unknown): void {
    let place = 'error'
    for (let cause = error, depth = 0; cause !== undefined && cause !== null && depth < MAX_CAUSES; depth++) {
      this.value(place, cause)
      if (!(cause instanceof Error)) return
      this.text(`${place}.stack`, String(cause.stack))
      cause = cause.cause
      place += '.cause'
    }
  }

  /** A logger that keeps nothing and looks at everything. */
  get logger(): Logger {
    const look = (level: string) => (message: string, fields?: object) => {
      this.text(`logger.${level} message`, message)
      this.value(`logger.${level} fields`, fields)
    }
    return { debug: look('debug'), info: look('info'), warn: look('warn'), error: look('error') }
  }
}

/** Canaries that a text holds, by name. */
export function canariesIn(text: string): string[] {
  return [...FORMS].filter(([, forms]) => forms.test(text)).map(([name]) => name)
}

const FORMS: ReadonlyMap<CanaryName, RegExp> = new Map(
  Object.entries(CANARIES).map(([name, canary]) => [name as CanaryName, formsOf(canary)])
)

function formsOf(canary: string): RegExp {
  const bytes = Buffer.from(canary)
  const head = [...bytes.subarray(0, PRINTED_BYTES)]
  const forms = [
    canary,
    // As inspect prints buffers, and as others print hex.
    head.map(byte => byte.toString(16).padStart(2, '0')).join(' ?'),
    // As inspect prints other views, in columns, and as JSON has them, by index.
    `\\b${head.join(',\\s*(?:"\\d+":)?')}\\b`,
    ...[0, 1, 2].map(lead => base64Of(bytes, lead).replaceAll('+', '\\+'))
  ]
  return new RegExp(forms.join('|'))
}

/** The base64 digits that the canary alone decides when `lead` other bytes stand before it. */
function base64Of(canary: Buffer, lead: number): string {
  const digits = Buffer.concat([Buffer.alloc(lead), canary]).toString('base64')
  const [firstBit, endBit] = [lead * BYTE_BITS, (lead + canary.length) * BYTE_BITS]
  return digits.slice(Math.ceil(firstBit / DIGIT_BITS), Math.floor(endBit / DIGIT_BITS))
}
