/**
 * Signs a request with AWS Signature Version 4.
 * Example: what the SDK sent, signed once more with the same key, gives the signature that the SDK gave.
 * Invariant: the key of a day is derived once; neither secret nor key leaves this file.
 * Source: "Create a signed AWS API request", AWS IAM user guide, 2026-11.
 */
import { createHmac, hash } from 'node:crypto'

const ALGORITHM = 'AWS4-HMAC-SHA256'
const TERMINATOR = 'aws4_request'
const DAY_CHARACTERS = 8

export class Signer {
  readonly #secretAccessKey: string
  readonly #region: string
  readonly #service: string
  #day = ''
  #key: Buffer = Buffer.alloc(0)

  constructor(secretAccessKey: string, region: string, service: string) {
    this.#secretAccessKey = secretAccessKey
    this.#region = region
    this.#service = service
  }

  /** The scope and time of a signature. `longDate` is `20261128T013000Z`. */
  scope(longDate: string): string {
    return `${longDate.slice(0, DAY_CHARACTERS)}/${this.#region}/${this.#service}/${TERMINATOR}`
  }

  /** Returns the signature in lower-case hex. */
  sign(longDate: string, canonicalRequest: string): string {
    const digest = hash('sha256', canonicalRequest, 'hex')
    const text = `${ALGORITHM}\n${longDate}\n${this.scope(longDate)}\n${digest}`
    return createHmac('sha256', this.#keyOf(longDate)).update(text).digest('hex')
  }

  #keyOf(longDate: string): Buffer {
    const day = longDate.slice(0, DAY_CHARACTERS)
    if (day === this.#day) return this.#key
    let key: string | Buffer = `AWS4${this.#secretAccessKey}`
    for (const part of [day, this.#region, this.#service, TERMINATOR]) {
      key = createHmac('sha256', key).update(part).digest()
    }
    this.#day = day
    this.#key = key as Buffer
    return this.#key
  }
}
