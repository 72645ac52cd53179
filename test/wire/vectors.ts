/**
 * The golden records of proto/vectors/, typed, and `wrap`, which makes hostile ones.
 * Invariant: every entry of the file is given out, with its bytes; none is left out here.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface KclRecord {
  readonly pk: string
  readonly ehk: string | null
  readonly sub: number
  readonly dataHex: string
}

export interface Outcome {
  readonly kind: 'raw' | 'records'
  readonly count?: number
  /** At most the first six. */
  readonly records?: readonly KclRecord[]
}

export interface EdgeVector {
  readonly id: string
  readonly base64?: string
  readonly observed: { readonly kcl: Outcome }
  readonly recommended: { readonly outcome: 'same as kcl' | 'raw' | 'records' | 'malformed'; readonly count?: number }
}

export interface RangeVector {
  readonly id: string
  readonly base64: string
  readonly startingHashKey: string
  readonly endingHashKey: string
  readonly observedKcl: Outcome
}

export interface LiteralRecord {
  readonly partitionKey: string
  readonly explicitHashKey: string | null
  readonly dataUtf8: string
  readonly subSequenceNumber: number
}

export interface LiteralVector {
  readonly id: string
  /** base64 */
  readonly value: string
  readonly expected: {
    readonly kind: string
    readonly count?: number
    readonly records?: readonly LiteralRecord[] | string
  }
  readonly aggregatorMustReproduce?: boolean | string
  readonly lambdaRecord?: unknown
}

export interface HashKeyVector {
  readonly partitionKey: string
  readonly hashKeyDecimal: string
}

interface VectorFile {
  readonly literal: readonly LiteralVector[]
  readonly edge: readonly EdgeVector[]
  readonly hashRange: readonly RangeVector[]
  readonly hashKeys: readonly HashKeyVector[]
}

export const vectors: VectorFile = JSON.parse(
  readFileSync(new URL('../../proto/vectors/aggregated-records.json', import.meta.url), 'utf8')
)

/** Returns `body` between the magic and its digest. */
export function wrap(body: Uint8Array | readonly number[]): Uint8Array {
  const bytes = Uint8Array.from(body)
  const magic = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2)
  return Uint8Array.from(Buffer.concat([magic, bytes, hash('md5', bytes, 'buffer')]))
}

/** The bytes of an edge case; one is given as a recipe, for it is large. */
export function edgeBytes(vector: EdgeVector): Uint8Array {
  if (vector.base64 !== undefined) return Uint8Array.from(Buffer.from(vector.base64, 'base64'))
  return wrap(Buffer.from(`0a0161${'1a0408001a00'.repeat(20_000)}`, 'hex'))
}
