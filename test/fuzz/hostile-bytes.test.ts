/**
 * No byte that the caller did not give may leave, and nothing is lost or kept: over typed arrays that lie, change or are gone.
 */
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidRecordError } from '../../src/model/errors.ts'
import type { ProducerOptions } from '../../src/model/options.ts'
import { Harness } from '../support/harness.ts'

/** What a put is given, and the bytes that must arrive; undefined: it must be refused. */
interface Given {
  readonly data: unknown
  readonly bytes: Uint8Array | undefined
}

const LIES = ['length', 'byteLength', 'byteOffset', 'buffer'] as const
const METHODS = ['subarray', 'slice', 'set', 'values', 'toString', Symbol.iterator] as const

const content = fc.uint8Array({ maxLength: 300 })
const lie = fc.oneof(fc.nat(2000), fc.constant(-1), fc.constant(Number.NaN), fc.constant('9'), fc.constant(undefined))

const honest: fc.Arbitrary<Given> = content.map(bytes => ({ data: bytes, bytes: Uint8Array.from(bytes) }))

const liar: fc.Arbitrary<Given> = fc
  .tuple(content, lie, fc.subarray([...LIES], { minLength: 1 }), fc.boolean())
  .map(([bytes, told, names, isSubclass]) => {
    class Liar extends Uint8Array {}
    const data = isSubclass ? new Liar(bytes) : Buffer.from(bytes)
    for (const name of names) Object.defineProperty(data, name, { get: () => told })
    for (const name of METHODS) Object.defineProperty(data, name, { value: () => new Uint8Array(2000).fill(0xaa) })
    return { data, bytes: Uint8Array.from(bytes) }
  })

const gone: fc.Arbitrary<Given> = fc.tuple(content, fc.nat(20)).map(([bytes, offset]) => {
  const memory = new ArrayBuffer(bytes.length + offset)
  const data = new Uint8Array(memory, offset)
  data.set(bytes)
  structuredClone(memory, { transfer: [memory] })
  return { data, bytes: undefined }
})

const resized: fc.Arbitrary<Given> = fc
  .tuple(content, fc.nat(300), fc.nat(20), fc.boolean())
  .map(([bytes, size, offset, tracks]) => {
    const memory = new Resizable(offset + bytes.length, { maxByteLength: 1000 })
    const data = tracks ? new Uint8Array(memory, offset) : new Uint8Array(memory, offset, bytes.length)
    data.set(bytes)
    memory.resize(size)
    const isGone = tracks ? size < offset : size < offset + bytes.length
    const length = tracks ? size - offset : bytes.length
    return { data, bytes: isGone ? undefined : new Uint8Array(memory.slice(offset, offset + length)) }
  })

const foreign: fc.Arbitrary<Given> = content.map(bytes => {
  const data = runInNewContext('Uint8Array.from(bytes)', { bytes }) as Uint8Array
  return { data, bytes: Uint8Array.from(bytes) }
})

const shared: fc.Arbitrary<Given> = content.map(bytes => {
  const data = new Uint8Array(new SharedArrayBuffer(bytes.length))
  data.set(bytes)
  return { data, bytes: Uint8Array.from(bytes) }
})

const impostor: fc.Arbitrary<Given> = content.chain(bytes =>
  fc
    .constantFrom<unknown[]>(
      Object.create(Uint8Array.prototype),
      new Proxy(bytes, {}),
      Int8Array.from(bytes),
      new Uint8ClampedArray(bytes),
      new DataView(bytes.buffer),
      bytes.buffer,
      [...bytes],
      { length: 5, byteLength: 5, [Symbol.toStringTag]: 'Uint8Array' },
      { __proto__: Uint8Array.prototype, byteLength: 5 },
      null,
      undefined,
      7,
      'lone \ud800 surrogate',
      '\udfff'
    )
    .map(data => ({ data, bytes: undefined }))
)

const given = fc.oneof(honest, liar, gone, resized, foreign, shared, impostor)

const ways: [string, ProducerOptions][] = [
  ['packed together', {}],
  ['each in an envelope with a tag', { dedupeTags: true, aggregationMaxCount: 1 }],
  ['each alone', { aggregationEnabled: false }],
  ['at the limit of a size', { maxUserRecordBytes: 200, aggregationMaxBytes: 100 }]
]

describe('bytes from hostile typed arrays', () => {
  test.each(ways)('%s: what was given arrives, or the put is refused and nothing is taken', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 12 }), async all => {
        const harness = new Harness(options)
        const limit = options.maxUserRecordBytes ?? 1_048_576
        const expected: Uint8Array[] = []

        for (const { data, bytes } of all) {
          const isTaken = put(harness, data)
          // What is larger than the limit is refused for that; the rest is taken if it is there.
          if (isTaken) expected.push(bytes!)
          else expect(bytes === undefined || bytes.length + 200 > limit).toBe(true)
          if (bytes === undefined) expect(isTaken).toBe(false)
        }
        await harness.settle(harness.producer.close())

        const { bufferedRecords, bufferedBytes, delivered, failed } = harness.producer.stats()
        const arrived = bytesOf(harness)
        expect(arrived.sort()).toEqual(expected.map(hexOf).sort())
        expect({ bufferedRecords, bufferedBytes, delivered, failed }).toEqual({
          bufferedRecords: 0,
          bufferedBytes: 0,
          delivered: expected.length,
          failed: 0
        })
      }),
      { numRuns: 150 }
    )
  })
})

test('a record whose fields throw or change as they are read is refused, or taken as it was read', async () => {
  const harness = new Harness()
  const secret = new Error('a fault of the user')
  const throwing = {
    partitionKey: 'k',
    get data(): Uint8Array {
      throw secret
    }
  }
  let reads = 0
  const changing = {
    partitionKey: 'k',
    get data() {
      return new Uint8Array(reads++ === 0 ? 3 : 300)
    }
  }

  const refusal = await harness.producer.put(throwing).catch((error: unknown) => error)
  harness.producer.tryPut(changing)
  await harness.settle(harness.producer.close())

  expect(refusal).toBeInstanceOf(InvalidRecordError)
  expect(refusal).toMatchObject({ code: 'KPL_ERR_INVALID_RECORD', field: 'record', cause: secret })
  expect(bytesOf(harness)).toEqual(['000000'])
})

test.each([[undefined], [null], ['text'], [7], [[]], [() => {}]])(
  '%j instead of a record is refused by name',
  async value => {
    const harness = new Harness()

    const refusal = await harness.producer.put(value as never).catch((error: unknown) => error)

    expect(refusal).toBeInstanceOf(InvalidRecordError)
    expect(() => harness.producer.tryPut(value as never)).toThrow(InvalidRecordError)
  }
)

test('a record, or data, that cannot even be looked at is refused by name', async () => {
  const { producer } = new Harness()
  const { proxy, revoke } = Proxy.revocable({}, {})
  const shy = Object.defineProperty({}, 'constructor', {
    get() {
      throw new Error('a fault of the user')
    }
  })
  revoke()

  const messages = await Promise.all(
    [
      proxy,
      { partitionKey: 'k', data: proxy },
      { partitionKey: proxy, data: 'x' },
      { partitionKey: 'k', data: shy }
    ].map(record => producer.put(record as never).catch(textOf))
  )

  expect(messages).toEqual([
    expect.stringMatching(/^InvalidRecordError: record must have readable fields, but/),
    expect.stringMatching(/^InvalidRecordError: data must be a Uint8Array or a string, got object that cannot be read/),
    expect.stringMatching(/^InvalidRecordError: partitionKey must be a string, got object that cannot be read/),
    expect.stringMatching(/^InvalidRecordError: data must be a Uint8Array or a string, got object that cannot be read/)
  ])
})

test('arguments beside the record are checked before anything is done', async () => {
  const { producer } = new Harness()
  const record = { partitionKey: 'k', data: 'x' }
  const attempts: (() => unknown)[] = [
    () => producer.put(record, { signal: 'soon' as never }),
    () => producer.put(record, { signal: {} as never }),
    () => producer.put(record, { signal: { throwIfAborted() {}, addEventListener() {} } as never }),
    () => producer.flush({ signal: null as never }),
    async () => producer.tryPut(record, null as never),
    async () => producer.tryPut(record, {} as never),
    () => producer.close(5000 as never),
    () => producer.close(null as never),
    () => producer.close({ timeoutMs: '5000' as never }),
    () => producer.close({ timeoutMs: Number.NaN })
  ]

  const messages = await Promise.all(attempts.map(attempt => Promise.resolve(attempt()).catch(textOf)))

  expect(messages).toEqual([
    'InvalidRecordError: signal must be an AbortSignal, got string',
    'InvalidRecordError: signal must be an AbortSignal, got Object',
    'InvalidRecordError: signal must be an AbortSignal, got Object',
    'InvalidRecordError: signal must be an AbortSignal, got null',
    'InvalidRecordError: settle must be a function, got null',
    'InvalidRecordError: settle must be a function, got Object',
    ...['got number; write close({ timeoutMs: 5000 })', 'got null'].map(
      fault => `OptionsError: Invalid options: close takes { timeoutMs }, ${fault}`
    ),
    ...['string', 'NaN'].map(
      shown => `OptionsError: Invalid options: close takes { timeoutMs }, a number of ms from 0, got ${shown}`
    )
  ])
  expect(producer.stats().bufferedRecords).toBe(0)
  // A close with a bad argument is a close.
  expect(() => producer.tryPut(record)).toThrow('the producer is closed')
})

function textOf(error: Error): string {
  return `${error.name}: ${error.message}`
}

/** The library of TypeScript does not know it yet. */
const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: { readonly maxByteLength: number }
) => ArrayBuffer & { resize(length: number): void }

function put({ producer }: Harness, data: unknown): boolean {
  try {
    return producer.tryPut({ partitionKey: 'key', data: data as Uint8Array })
  } catch (error) {
    if (error instanceof InvalidRecordError) return false
    throw error
  }
}

function bytesOf(harness: Harness): string[] {
  return harness.storedBytes().map(hexOf)
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
