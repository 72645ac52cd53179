/**
 * What the writer says a size will be, before anything is written, against the bytes that then are there.
 * Invariant: the twin adds up lengths from the format's grammar and shares nothing with the writer.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EnvelopeWriter, type KeySlot } from '../../src/wire/encode.ts'
import { check, shareOf, TIMEOUT_MS } from './cases.ts'
import { numbersOf } from './mutants.ts'
import { dataAtBorders, hashKey, wellFormedKey } from './texts.ts'

interface Member {
  readonly partitionKey: string
  readonly explicitHashKey: string | undefined
  readonly data: string | Uint8Array
}

const anyMember: fc.Arbitrary<Member> = fc.record({
  partitionKey: wellFormedKey,
  explicitHashKey: fc.option(hashKey.map(String), { nil: undefined }),
  data: dataAtBorders
})

/** Adds up what the format's grammar says. */
class SizeTwin {
  #keys = new Map<string, number>()
  #hashKeys = new Map<string, number>()
  #count = 0
  #firstBytes = 0
  #bodyBytes = 0

  add({ partitionKey, explicitHashKey, data }: Member): void {
    const dataBytes = Buffer.byteLength(data)
    let memberBytes = 1 + numberBytes(this.#indexOf(this.#keys, partitionKey)) + sizedBytes(dataBytes)
    if (explicitHashKey !== undefined) memberBytes += 1 + numberBytes(this.#indexOf(this.#hashKeys, explicitHashKey))
    this.#bodyBytes += sizedBytes(memberBytes)
    if (this.#count++ === 0) this.#firstBytes = dataBytes
  }

  get sealedBytes(): number {
    return this.#count === 1 ? this.#firstBytes : 4 + this.#bodyBytes + 16
  }

  #indexOf(table: Map<string, number>, text: string): number {
    const known = table.get(text)
    if (known !== undefined) return known
    this.#bodyBytes += sizedBytes(Buffer.byteLength(text))
    table.set(text, table.size)
    return table.size - 1
  }
}

describe('the size that the writer announces', () => {
  test(`is the sealed one for each first part of any members (${shareOf(20)} cases)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const members = fc.array(anyMember, { minLength: 1, maxLength: 10 })

    const checked = check(
      shareOf(20),
      fc.property(members, all => {
        for (let count = 1; count <= all.length; count++) {
          const writer = new EnvelopeWriter()
          for (const member of all.slice(0, count - 1)) add(writer, member)
          const announced = announce(writer, all[count - 1]!)
          add(writer, all[count - 1]!)
          const kept = writer.sealedBytes
          expect([announced, kept]).toEqual(Array(2).fill(writer.seal().length))
        }
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test(`is the sealed one for up to 6,000 members of many keys (${shareOf(2000)} cases)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    const checked = check(
      shareOf(2000),
      fc.property(fc.noShrink(fc.integer()), fc.array(wellFormedKey, { minLength: 1, maxLength: 20 }), (seed, keys) => {
        const below = numbersOf(seed)
        const writer = new EnvelopeWriter()
        const slots = new Map<string, KeySlot>()
        const hasSlots = below(2) === 0
        for (let left = 3; left > 0; left--) {
          const twin = new SizeTwin()
          const keyCount = 1 + below(below(2) === 0 ? 100 : 20_000)
          for (let i = below(6000); i >= 0; i--) {
            const member = draw(below, keys, keyCount)
            const announced = announce(writer, member)
            add(writer, member, hasSlots ? slotOf(slots, member.partitionKey) : undefined)
            twin.add(member)
            if (announced !== twin.sealedBytes || writer.sealedBytes !== announced) expect.fail(`member ${i}`)
          }
          expect(writer.seal().length).toBe(twin.sealedBytes)
        }
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })

  test(`decides to the byte what still fits (${shareOf(10)} cases)`, { timeout: TIMEOUT_MS }, async () => {
    const checked = check(
      shareOf(10),
      fc.property(fc.array(anyMember, { minLength: 1, maxLength: 6 }), anyMember, (members, last) => {
        const writer = new EnvelopeWriter()
        for (const member of members) add(writer, member)
        const before = writer.sealedBytes
        const announced = announce(writer, last)

        const answers = [announced - 1, announced].map(maxBytes => [
          addWithin(writer, maxBytes, last),
          writer.sealedBytes
        ])

        expect(answers).toEqual([
          [false, before],
          [true, announced]
        ])
        expect(writer.seal().length).toBe(announced)
      })
    )

    await expect(checked).resolves.toBeUndefined()
  })
})

function announce(writer: EnvelopeWriter, { partitionKey, explicitHashKey, data }: Member): number {
  return writer.bytesWith(partitionKey, Buffer.byteLength(partitionKey), explicitHashKey, Buffer.byteLength(data))
}

function add(writer: EnvelopeWriter, member: Member, slot?: KeySlot): void {
  addWithin(writer, Number.POSITIVE_INFINITY, member, slot)
}

function addWithin(writer: EnvelopeWriter, maxBytes: number, member: Member, slot?: KeySlot): boolean {
  const { partitionKey, explicitHashKey, data } = member
  const [keyBytes, dataBytes] = [Buffer.byteLength(partitionKey), Buffer.byteLength(data)]
  return writer.addWithin(maxBytes, partitionKey, keyBytes, explicitHashKey, data, dataBytes, slot)
}

function draw(below: (bound: number) => number, keys: readonly string[], keyCount: number): Member {
  const partitionKey = below(3) === 0 ? keys[below(keys.length)]! : `key-${below(keyCount)}`
  const explicitHashKey = below(3) === 0 ? String(below(keyCount)) : undefined
  const data = below(2) === 0 ? new Uint8Array(below(200)) : 'x\u00e9'.repeat(below(60))
  return { partitionKey, explicitHashKey, data }
}

function slotOf(slots: Map<string, KeySlot>, key: string): KeySlot {
  const slot = slots.get(key) ?? { table: 0, index: 0 }
  slots.set(key, slot)
  return slot
}

function sizedBytes(contentBytes: number): number {
  return 1 + numberBytes(contentBytes) + contentBytes
}

function numberBytes(value: number): number {
  return Math.max(1, Math.ceil(value.toString(2).length / 7))
}
