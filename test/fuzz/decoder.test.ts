/**
 * The decoder on mutants of aggregates, with the digest put right so that every one of them reaches the parser.
 * Invariant: records or KPL_ERR_MALFORMED_ENVELOPE, nothing else, and the same every time.
 */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  aggregateInfo,
  type ConsumedRecord,
  deaggregate,
  isAggregated,
  MalformedEnvelopeError
} from '../../src/consumer/deaggregate.ts'
import { decodeEnvelope, type EnvelopeMember } from '../../src/wire/decode.ts'
import { bodyOf, checkMutants, withoutStacks } from './aggregates.ts'
import { shareOf, TIMEOUT_MS } from './cases.ts'
import { framed, split } from './fields.ts'
import { ALL_CHANGES, mutate, numbersOf } from './mutants.ts'

const REPLACEMENT = '\ufffd'
const HALF = 1n << 127n
const LOWER_HALF = { startingHashKey: 0n, endingHashKey: HALF - 1n }

type Answer<T> = { readonly value: T; readonly error?: never } | { readonly error: unknown }
type AnyMember = EnvelopeMember | ConsumedRecord

describe('the decoder on changed aggregates with a right digest', () => {
  test(`gives records or its own error, and the same again (${shareOf(1)} mutants)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    await expect(checkMutants(shareOf(1), faultOf)).resolves.toBeUndefined()
  })

  test(`takes a record with a wrong digest for a plain one (${shareOf(10)} mutants)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const faultOfUnframed = (body: Uint8Array) => {
      const bytes = framed(body)
      bytes[4 + (body.length % (bytes.length - 4))]! ^= 1 << (body.length & 7)
      const isPlain = isWhole(deaggregate(bytes), bytes) && !isAggregated(bytes)
      return isPlain ? undefined : 'not handed on as it is'
    }

    await expect(checkMutants(shareOf(10), faultOfUnframed)).resolves.toBeUndefined()
  })

  test('meets mutants that can be read and mutants that cannot, after each kind of change', async () => {
    const fields = split(
      bodyOf([
        { partitionKey: 'a', data: Uint8Array.of(1), explicitHashKey: '7' },
        { partitionKey: 'b', data: new Uint8Array(130) },
        { partitionKey: 'a', data: Uint8Array.of(2, 3) }
      ])
    )
    const below = numbersOf(1)
    const read = new Set<string>()
    const refused = new Set<string>()

    await withoutStacks(() => {
      for (let i = 0; i < 20_000; i++) {
        const mutant = mutate(fields, below)
        const { error } = attempt(() => decodeEnvelope(framed(mutant.body)))
        if (mutant.changes.length === 1) (error === undefined ? read : refused).add(mutant.changes[0]!)
      }
    })

    // Fields may come in any order, the last one wins, and bits beyond the 64th are dropped: this stays valid.
    const harmless = ['field elsewhere', 'field twice', 'number with bits beyond the 64th']
    const refusable = ALL_CHANGES.filter(name => !harmless.includes(name))
    expect({
      read: ALL_CHANGES.filter(name => read.has(name)),
      refused: ALL_CHANGES.filter(name => refused.has(name))
    }).toEqual({ read: ALL_CHANGES, refused: refusable })
  })
})

/** What is wrong with the answers about a body; undefined when nothing is. */
function faultOf(body: Uint8Array): string | undefined {
  const bytes = framed(body)
  const before = bytes.slice()
  const strict = attempt(() => decodeEnvelope(bytes))
  const thrown = attempt(() => [...deaggregate(bytes, { onCorrupt: 'throw' })])
  if (!isOwn(strict, bytes) || !isOwn(thrown, bytes)) return 'an error of another kind'
  const fault = faultOfReaders(strict, thrown, bytes) ?? FURTHER[body.length % FURTHER.length]!(bytes, thrown, strict)
  return Buffer.compare(bytes, before) === 0 ? fault : 'the input was changed'
}

/** Each mutant gets one of these, for all of them together cost more than the two readers. */
const FURTHER: readonly ((
  bytes: Uint8Array,
  thrown: Answer<readonly ConsumedRecord[]>,
  strict: Answer<readonly EnvelopeMember[]>
) => string | undefined)[] = [
  (bytes, thrown, strict) => {
    const isSame =
      isSameAnswer(
        strict,
        attempt(() => decodeEnvelope(bytes))
      ) &&
      isSameAnswer(
        thrown,
        attempt(() => [...deaggregate(bytes, { onCorrupt: 'throw' })])
      )
    return isSame ? undefined : 'another answer the second time'
  },
  (bytes, thrown) => {
    const plain = attempt(() => [...deaggregate(bytes)])
    if ('error' in plain) return 'an error that was not asked for'
    if ('error' in thrown) return isWhole(plain.value, bytes) ? undefined : 'corrupt, but not handed on as it is'
    return isSameAnswer(plain, thrown) ? undefined : "'plain' changed a valid aggregate"
  },
  (bytes, thrown) => {
    const skipped = attempt(() => [...deaggregate(bytes, { onCorrupt: 'skip' })])
    const expected = 'error' in thrown ? { value: [] } : thrown
    return isSameAnswer(skipped, expected) ? undefined : "'skip' did not skip, or changed a valid aggregate"
  },
  (bytes, thrown) => {
    const info = attempt(() => aggregateInfo(bytes))
    if ('error' in info) return 'an error of aggregateInfo'
    const expected = 'error' in thrown ? { fault: faultIn(thrown.error), count: 1 } : { count: thrown.value.length }
    const isSame = info.value.fault === expected.fault && info.value.userRecordCount === expected.count
    return isSame ? undefined : 'aggregateInfo says otherwise'
  },
  (bytes, thrown) => faultOfRule(bytes, thrown, 'filter'),
  (bytes, thrown) => faultOfRule(bytes, thrown, 'kcl')
]

function faultOfReaders(
  strict: Answer<readonly EnvelopeMember[]>,
  thrown: Answer<readonly ConsumedRecord[]>,
  bytes: Uint8Array
): string | undefined {
  if ('error' in thrown) {
    // A body of no bytes is no envelope, whatever its digest; decodeEnvelope does not look.
    return 'error' in strict || !isAggregated(bytes) ? undefined : 'corrupt for one reader only'
  }
  const { value: records } = thrown
  if (!records.every((record, i) => record.subSequenceNumber === i && record.aggregated)) return 'out of order'
  if (!records.every(({ data }) => data.buffer === bytes.buffer)) return 'a copy'
  if (!('error' in strict)) return isSameAnswer(strict, thrown) ? undefined : 'two readers, two answers'
  const isTextReplaced = records.some(
    ({ partitionKey, explicitHashKey }) => partitionKey.includes(REPLACEMENT) || explicitHashKey?.includes(REPLACEMENT)
  )
  const isTextFault = faultIn(strict.error) === 'key that is not UTF-8' && isTextReplaced
  return isTextFault ? undefined : 'readable for one reader only'
}

function faultOfRule(
  bytes: Uint8Array,
  thrown: Answer<readonly ConsumedRecord[]>,
  outOfRange: 'filter' | 'kcl'
): string | undefined {
  const ruled = attempt(() => [...deaggregate(bytes, { shardRange: LOWER_HALF, outOfRange, onCorrupt: 'throw' })])
  if (!isOwn(ruled, bytes)) return 'an error of another kind'
  if ('error' in thrown) return 'error' in ruled ? undefined : 'a rule made corrupt bytes readable'
  // Where text was replaced, the bytes that were hashed are not known any more.
  if (thrown.value.some(({ partitionKey }) => partitionKey.includes(REPLACEMENT))) return undefined
  const expected = ruledTwin(thrown.value, outOfRange)
  if (expected === undefined) return 'error' in ruled ? undefined : 'a key that is not a number passed'
  return isSameAnswer(ruled, { value: expected }) ? undefined : `'${outOfRange}' kept other records`
}

/** What a rule leaves of the records of one aggregate; undefined means that it is corrupt. */
function ruledTwin(records: readonly ConsumedRecord[], outOfRange: 'filter' | 'kcl'): ConsumedRecord[] | undefined {
  const hashKeys = records.map(hashKeyTwin)
  const isInside = (hashKey: bigint | undefined) => hashKey !== undefined && hashKey >= 0n && hashKey < HALF
  if (outOfRange === 'filter') {
    const isElsewhere = (hashKey: bigint | undefined) => hashKey !== undefined && hashKey >= HALF && hashKey < 2n * HALF
    return records.filter((_, i) => !isElsewhere(hashKeys[i]))
  }
  const first = hashKeys.findIndex(hashKey => !isInside(hashKey))
  if (first < 0) return [...records]
  return hashKeys[first] === undefined ? undefined : []
}

/** The number that decides the shard; undefined for an explicit hash key that is none. */
function hashKeyTwin({ partitionKey, explicitHashKey }: ConsumedRecord): bigint | undefined {
  if (explicitHashKey === undefined) return BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`)
  return /^[+-]?[0-9]+$/.test(explicitHashKey) ? BigInt(explicitHashKey) : undefined
}

function attempt<T>(call: () => T): Answer<T> {
  try {
    return { value: call() }
  } catch (error) {
    // Not swallowed: what it is, is the question.
    return { error }
  }
}

/** Whether it is an answer that a reader may give: anything but an error of another kind. */
function isOwn({ error }: Answer<unknown>, bytes: Uint8Array): boolean {
  if (error === undefined) return true
  if (!(error instanceof MalformedEnvelopeError)) return false
  const isInside = Number.isInteger(error.offset) && error.offset >= 0 && error.offset <= bytes.length
  return error.code === 'KPL_ERR_MALFORMED_ENVELOPE' && isInside
}

function faultIn(error: unknown): string | undefined {
  return error instanceof MalformedEnvelopeError ? error.fault : undefined
}

function isWhole(records: Iterable<ConsumedRecord>, bytes: Uint8Array): boolean {
  const [record, ...others] = records
  return record !== undefined && others.length === 0 && !record.aggregated && Buffer.compare(record.data, bytes) === 0
}

function isSameAnswer(left: Answer<readonly AnyMember[]>, right: Answer<readonly AnyMember[]>): boolean {
  if ('error' in left || 'error' in right) return String(left.error) === String(right.error)
  const { value: others } = right
  return left.value.length === others.length && left.value.every((member, i) => isSame(member, others[i]!))
}

/** Without the cost of a matcher for each member; the data are views of the same bytes. */
function isSame(left: AnyMember, right: AnyMember): boolean {
  return (
    left.partitionKey === right.partitionKey &&
    left.explicitHashKey === right.explicitHashKey &&
    left.data.byteOffset === right.data.byteOffset &&
    left.data.length === right.data.length
  )
}
