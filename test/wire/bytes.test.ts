import { expect, test } from 'vitest'
import { copyOf, isBytes, lengthOfBytes } from '../../src/wire/bytes.ts'
import { decodeEnvelope } from '../../src/wire/decode.ts'
import { EnvelopeWriter } from '../../src/wire/encode.ts'

test('bytes that another thread has made longer since they were measured are copied as they were measured', () => {
  const memory = new Growable(3, { maxByteLength: 100_000 })
  const data = new Uint8Array(memory)
  data.set([1, 2, 3])
  const measured = lengthOfBytes(data)
  memory.grow(100_000)
  const writer = new EnvelopeWriter()

  const copy = copyOf(data, measured)
  for (const key of ['a', 'b']) writer.add(key, 1, undefined, data, measured)

  expect([...copy]).toEqual([1, 2, 3])
  expect(decodeEnvelope(writer.seal()).map(member => [...member.data])).toEqual([
    [1, 2, 3],
    [1, 2, 3]
  ])
})

test('what only looks like bytes is none', () => {
  const lookalikes = [
    Object.create(Uint8Array.prototype),
    new Proxy(new Uint8Array(1), {}),
    new Int8Array(1),
    [1],
    'a',
    null
  ]

  expect(lookalikes.map(isBytes)).toEqual(lookalikes.map(() => false))
  expect([isBytes(new Uint8Array(1)), isBytes(Buffer.from('a'))]).toEqual([true, true])
})

/** The library of TypeScript does not know it yet. */
const Growable = SharedArrayBuffer as unknown as new (
  length: number,
  options: { readonly maxByteLength: number }
) => SharedArrayBuffer & { grow(length: number): void }
