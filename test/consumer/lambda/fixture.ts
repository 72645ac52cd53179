/**
 * Events, contexts and what the process was warned of, for tests of the Lambda adapter.
 * Invariant: no time passes; a context says what it is told to say.
 */
import { afterEach, beforeEach, vi } from 'vitest'
import type { LambdaStreamEvent, LambdaUserRecord } from '../../../src/consumer/lambda.ts'

export const PLENTY_MS = 300_000
export const sequenceNumber = (index: number): string =>
  `4958154495414391448025670093421036684010439534322489758${index}`

/** An event of plain records; each is `key=text`. */
export function eventOf(...items: readonly string[]): LambdaStreamEvent {
  return {
    Records: items.map((item, index) => {
      const [partitionKey = '', text = ''] = item.split('=')
      const data = Buffer.from(text).toString('base64')
      return { kinesis: { partitionKey, data, sequenceNumber: sequenceNumber(index) } }
    })
  }
}

export const contextWith = (getRemainingTimeInMillis: () => number) => ({ getRemainingTimeInMillis })
export const context = contextWith(() => PLENTY_MS)
export const textOf = ({ data }: { readonly data: Uint8Array }): string => Buffer.from(data).toString()
export const failuresAt = (...indexes: readonly number[]) => ({
  batchItemFailures: indexes.map(index => ({ itemIdentifier: sequenceNumber(index) }))
})

/** An `onError` that keeps what it is told: code or message, and the text of the record. */
export function errorLog() {
  const told: unknown[] = []
  const onError = (error: unknown, record: LambdaUserRecord | undefined) => {
    const { code, message } = Object(error) as { readonly code?: string; readonly message?: string }
    told.push([code ?? message ?? error, record && textOf(record)])
  }
  return { told, onError }
}

/** Collects the process warnings of each test instead of printing them: code and message. */
export function collectWarnings(): unknown[] {
  const warnings: unknown[] = []
  beforeEach(() => {
    warnings.length = 0
    vi.spyOn(process, 'emitWarning').mockImplementation(((message: unknown, options: { code?: string }) => {
      warnings.push([Object(options).code, message])
    }) as typeof process.emitWarning)
  })
  afterEach(() => vi.restoreAllMocks())
  return warnings
}
