/**
 * Partition keys and explicit hash keys at the door, against slow twins: a key is well formed if its bytes say it again,
 * an explicit hash key is canonical if the number says it again.
 * Invariant: what is refused is refused with KPL_ERR_INVALID_RECORD and the field; what passes is what the service sees.
 */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordValidator } from '../../src/core/record-validator.ts'
import { InvalidRecordError } from '../../src/model/errors.ts'
import type { UserRecord } from '../../src/model/records.ts'
import { explicitHashKeyFault, readHashKey } from '../../src/wire/hash-key.ts'
import { check, shareOf, TIMEOUT_MS } from './cases.ts'
import { anyText, brokenText, hashKey, wellFormedText } from './texts.ts'

const TWO_128 = 1n << 128n
const MIB = 1 << 20
const MAX_MS = 50
const MAX_TRIES = 10

interface Verdict {
  readonly field?: string
  readonly keyBytes?: number
  readonly explicitHashKey?: string | undefined
  readonly hashKey?: bigint
}

const characters = (text: string, maxLength: number) => fc.string({ unit: fc.constantFrom(...text), maxLength })
const border = fc.tuple(fc.bigInt({ min: -3n, max: 3n }), fc.constantFrom(0n, 10n ** 38n, TWO_128, 10n ** 39n))
const decoration = fc.constantFrom(
  '',
  '0',
  '00',
  '+',
  '-',
  ' ',
  '\t',
  '\n',
  '\u00a0',
  '\ufeff',
  '0x',
  '_',
  '.',
  'e0',
  'n'
)
const anyHashKeyText = fc.oneof(
  hashKey.map(String),
  border.map(([step, value]) => String(value + step)),
  fc.tuple(decoration, hashKey, decoration).map(([before, value, after]) => before + value + after),
  characters('0123456789', 41),
  characters('09+-_ .eExnN\n\u0661\uff11', 41),
  hashKey.map(value => `0x${value.toString(16)}`)
)
const anyPartitionKey = fc.oneof(
  anyText,
  fc.constantFrom(0, 1, 255, 256, 257, 300).chain(length => wellFormedText(length, length)),
  fc.constantFrom(1, 55, 56, 256, 257).map(length => 'k'.repeat(length)),
  brokenText(300)
)
const anythingElse = fc.anything().filter(value => typeof value !== 'string' && value !== undefined)

describe('an explicit hash key', () => {
  test(`as text is taken exactly when it is how its number is written (${shareOf(1)} cases)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const checked = check(
      shareOf(1),
      fc.property(anyHashKeyText, text => {
        if ((explicitHashKeyFault(text) === undefined) !== isCanonicalTwin(text)) expect.fail('the twin says otherwise')
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test(`that is a bigint is taken exactly when it is in range, and nothing else is (${shareOf(4)} cases)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const anyBigInt = fc.oneof(
      hashKey,
      fc.bigInt(),
      border.map(([step, value]) => value + step)
    )

    const checked = check(
      shareOf(4),
      fc.property(fc.oneof(anyBigInt, anythingElse), value => {
        const isInRange = typeof value === 'bigint' && value >= 0n && value < TWO_128
        expect(explicitHashKeyFault(value) === undefined).toBe(isInRange)
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })
})

describe('a record at the door', () => {
  test(`passes with the keys that the service computes, or is refused (${shareOf(4)} cases)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const validator = new RecordValidator(MIB)
    const hashKeys = fc.oneof(fc.constant(undefined), anyHashKeyText, hashKey)

    const checked = check(
      shareOf(4),
      fc.property(anyPartitionKey, hashKeys, (partitionKey, explicitHashKey) => {
        const user = { partitionKey, explicitHashKey, data: '' }
        expect(verdict(validator, user)).toEqual(verdictTwin(user))
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test(`with fields of any kind is refused with the first bad one (${shareOf(10)} cases)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const validator = new RecordValidator(MIB)
    const fields = { partitionKey: anythingElse, explicitHashKey: anythingElse, data: anythingElse }

    const checked = check(
      shareOf(10),
      fc.property(fc.constantFrom('partitionKey', 'explicitHashKey', 'data'), fc.record(fields), (bad, values) => {
        const isGood = bad !== 'partitionKey' && (values[bad] instanceof Uint8Array || typeof values[bad] === 'bigint')
        fc.pre(!isGood)
        const user = { partitionKey: 'k', data: '', [bad]: values[bad] } as unknown as UserRecord
        expect(verdict(validator, user)).toEqual({ field: bad })
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  // Parsed JSON can claim any constructor, and once its name went into the message.
  test('is refused so too when its field says that its constructor is what cannot be printed', () => {
    const partitionKey = JSON.parse('{"constructor":{"name":{"toString":1,"valueOf":1}}}')

    const answer = verdict(new RecordValidator(MIB), { partitionKey, data: '' })

    expect(answer).toEqual({ field: 'partitionKey' })
  })

  test.each([
    ['partitionKey', 'ASCII', 'k'.repeat(MIB)],
    ['partitionKey', 'lone surrogates', '\ud800'.repeat(MIB)],
    ['explicitHashKey', 'nines', '9'.repeat(MIB)],
    ['explicitHashKey', 'zeros', '0'.repeat(MIB)],
    ['explicitHashKey', 'zeros before a number', `${'0'.repeat(MIB)}7`],
    ['explicitHashKey', 'spaces around a number', `${' '.repeat(MIB)}7${' '.repeat(MIB)}`],
    ['explicitHashKey', 'signs', '-'.repeat(MIB)],
    ['explicitHashKey', 'digits before a letter', `${'1'.repeat(MIB)}x`]
  ])('is refused within 50 ms when its %s is 1 MiB of %s', (field, _, text) => {
    const validator = new RecordValidator(MIB)
    const user = { partitionKey: 'k', data: '', [field]: text }
    let fastestMs = Number.POSITIVE_INFINITY
    let answer: Verdict = {}

    for (let tries = 0; tries < MAX_TRIES && !(fastestMs < MAX_MS); tries++) {
      const startMs = performance.now()
      answer = verdict(validator, user)
      fastestMs = Math.min(fastestMs, performance.now() - startMs)
    }

    expect(answer).toEqual({ field })
    expect(fastestMs).toBeLessThan(MAX_MS)
  })
})

function verdict(validator: RecordValidator, user: UserRecord): Verdict {
  try {
    const { keyBytes, explicitHashKey, hashWords, hashAt } = validator.examine(user)
    return { keyBytes, explicitHashKey, hashKey: readHashKey(hashWords, hashAt) }
  } catch (error) {
    if (!(error instanceof InvalidRecordError) || error.code !== 'KPL_ERR_INVALID_RECORD') throw error
    return { field: error.field }
  }
}

function verdictTwin({ partitionKey, explicitHashKey }: UserRecord): Verdict {
  const bytes = Buffer.from(partitionKey)
  const isWellFormed = bytes.toString() === partitionKey
  if (!isWellFormed || partitionKey.length < 1 || partitionKey.length > 256) return { field: 'partitionKey' }
  if (explicitHashKey === undefined) {
    const digest = createHash('md5').update(bytes).digest('hex')
    return { keyBytes: bytes.length, explicitHashKey: undefined, hashKey: BigInt(`0x${digest}`) }
  }
  const text = String(explicitHashKey)
  if (!isCanonicalTwin(text)) return { field: 'explicitHashKey' }
  return { keyBytes: bytes.length, explicitHashKey: text, hashKey: BigInt(text) }
}

function isCanonicalTwin(text: string): boolean {
  try {
    const value = BigInt(text)
    return String(value) === text && value >= 0n && value < TWO_128
  } catch {
    // Not swallowed: what is no number at all is not canonical.
    return false
  }
}
