import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { copyOf } from '../../src/wire/bytes.ts'
import { EnvelopeWriter, type KeySlot } from '../../src/wire/encode.ts'
import { type TwinMember, twinEnvelope, twinSealed } from '../reference/envelope.ts'
import { HOSTILE_KEYS } from './oracle.ts'

const wellFormed = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(text => text.isWellFormed())
const anyKey = fc.oneof(
  fc.constantFrom(...HOSTILE_KEYS.filter(key => key !== ''), 'k'.repeat(127), 'k'.repeat(128), 'é'.repeat(256)),
  wellFormed
)
const anyData = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(0, 1, 127, 128, 129, 2047, 2048, 2049, 20_000).map(length => new Uint8Array(length).fill(length))
)
const anyMember = fc.record({
  partitionKey: anyKey,
  explicitHashKey: fc.option(fc.constantFrom('0', '1', '7', String((1n << 128n) - 1n)), { nil: undefined }),
  data: anyData
})
const anyMembers = fc.array(anyMember, { minLength: 1, maxLength: 40 })

describe('the writer', () => {
  test('seals what the twin seals, and says its exact size before every step', () => {
    const writer = new EnvelopeWriter()

    fc.assert(
      fc.property(anyMembers, members => {
        for (let i = 0; i < members.length; i++) {
          const sealed = twinSealed(members.slice(0, i + 1))
          const envelope = twinEnvelope(members.slice(0, i + 1))
          expect(writer.bytesWith(...argumentsOf(members[i]!))).toBe(i === 0 ? members[i]!.data.length : sealed.length)
          add(writer, members[i]!)
          expect([writer.count, writer.sealedBytes, writer.envelopeBytes, writer.firstPartitionKey]).toEqual([
            i + 1,
            i === 0 ? members[i]!.data.length : sealed.length,
            envelope.length,
            members[0]!.partitionKey
          ])
        }
        const isEnvelope = writer.isEnvelope
        const expected = twinSealed(members)
        expect(isEnvelope).toBe(members.length > 1 || expected.length !== members[0]!.data.length)
        expect(writer.seal().equals(expected)).toBe(true)
        expect([writer.count, writer.firstPartitionKey]).toEqual([0, undefined])
      }),
      { numRuns: 300 }
    )
  })

  test('never grows over the limit, and a refused member leaves nothing behind', () => {
    fc.assert(
      fc.property(anyMembers, fc.integer({ min: 64, max: 4000 }), (members, maxBytes) => {
        const writer = new EnvelopeWriter()
        const taken: TwinMember[] = []
        for (const member of members) {
          const isFitting = taken.length === 0 || twinEnvelope([...taken, member]).length <= maxBytes
          expect(addWithin(writer, maxBytes, member)).toBe(isFitting)
          if (isFitting) taken.push(member)
        }
        expect(writer.seal().equals(twinSealed(taken))).toBe(true)
      }),
      { numRuns: 300 }
    )
  })

  test('writes the same with slots of the keys as without, over many envelopes of several writers', () => {
    const anyStep = fc.record({ writer: fc.nat({ max: 1 }), key: fc.nat({ max: 5 }), seals: fc.nat({ max: 7 }) })

    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 120 }), steps => {
        const writers = [new EnvelopeWriter(), new EnvelopeWriter()]
        const taken: TwinMember[][] = [[], []]
        // A key belongs to one writer at a time, as a key belongs to one lane: keys 0 to 5 of each have their own slots.
        const slots: KeySlot[][] = [0, 1].map(() => Array.from({ length: 6 }, () => ({ table: 0, index: 0 })))
        for (const { writer, key, seals } of steps) {
          const member = {
            partitionKey: `w${writer}-key-${key}`,
            explicitHashKey: undefined,
            data: new Uint8Array(key)
          }
          addWithin(writers[writer]!, Number.POSITIVE_INFINITY, member, slots[writer]![key])
          taken[writer]!.push(member)
          if (seals !== 0) continue
          expect(writers[writer]!.seal().equals(twinSealed(taken[writer]!))).toBe(true)
          taken[writer] = []
        }
      }),
      { numRuns: 300 }
    )
  })

  test('writes a string as its UTF-8 bytes, short or long, ASCII or not', () => {
    const texts = ['', 'x', 'x'.repeat(32), 'x'.repeat(33), 'é'.repeat(16), '\u{1f600}'.repeat(40), '\0\ud7ff\ufeff']
    const writer = new EnvelopeWriter(0)
    for (const text of texts) writer.add('k', 1, undefined, text, Buffer.byteLength(text))

    const sealed = writer.seal()

    const members = texts.map(text => ({ partitionKey: 'k', explicitHashKey: undefined, data: Buffer.from(text) }))
    expect(sealed.equals(twinSealed(members))).toBe(true)
  })

  test('wraps a lone payload that is itself an envelope', () => {
    const inner = { partitionKey: 'inner', explicitHashKey: undefined, data: Buffer.from('x') }
    const outer = { partitionKey: 'outer', explicitHashKey: '7', data: twinEnvelope([inner, inner]) }
    const writer = new EnvelopeWriter()
    add(writer, outer)

    const answers = [writer.isEnvelope, writer.seal().equals(twinEnvelope([outer]))]

    expect(answers).toEqual([true, true])
  })

  test.each([
    ['the magic alone', Buffer.from('f3899ac2', 'hex')],
    ['the magic and a wrong digest', Buffer.concat([Buffer.from('f3899ac2', 'hex'), Buffer.alloc(40)])]
  ])('leaves a lone payload with %s as it is', (_, data) => {
    const writer = new EnvelopeWriter()
    add(writer, { partitionKey: 'k', explicitHashKey: undefined, data })

    const answers = [writer.isEnvelope, writer.sealedBytes, writer.seal()]

    expect(answers).toEqual([false, data.length, data])
  })

  test('hands out memory of its own: later members do not change what was sealed', () => {
    const writer = new EnvelopeWriter()
    const data = Buffer.from('first')
    add(writer, { partitionKey: 'k', explicitHashKey: undefined, data })
    data.fill(0)
    const first = writer.seal()
    add(writer, { partitionKey: 'k', explicitHashKey: undefined, data: Buffer.from('other') })
    writer.seal().fill(0)

    const text = first.toString()

    expect(text).toBe('first')
  })
})

test('a copy has the bytes of its source and memory of its own', () => {
  for (const length of [0, 1, 2048, 2049]) {
    const source = new Uint8Array(length).fill(7)
    const copy = copyOf(source, length)
    source.fill(0)

    expect(copy).toEqual(Buffer.alloc(length, 7))
  }
})

function argumentsOf({ partitionKey, explicitHashKey, data }: TwinMember) {
  return [partitionKey, Buffer.byteLength(partitionKey), explicitHashKey, data.length] as const
}

function add(writer: EnvelopeWriter, { partitionKey, explicitHashKey, data }: TwinMember): void {
  writer.add(partitionKey, Buffer.byteLength(partitionKey), explicitHashKey, data, data.length)
}

function addWithin(writer: EnvelopeWriter, maxBytes: number, member: TwinMember, slot?: KeySlot): boolean {
  const { partitionKey, explicitHashKey, data } = member
  const keyBytes = Buffer.byteLength(partitionKey)
  return writer.addWithin(maxBytes, partitionKey, keyBytes, explicitHashKey, data, data.length, slot)
}
