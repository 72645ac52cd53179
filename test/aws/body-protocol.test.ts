/** The writer between the SDK's protocol and the pool: which records belong to which input, and whose buffer is free. */
import { describe, expect, test } from 'vitest'
import { BodyWriter } from '../../src/aws/body-protocol.ts'

type Records = { Data: Buffer; PartitionKey: string }[]
const RECORDS: Records = [{ Data: Buffer.from('payload'), PartitionKey: 'k' }]
const BODY = `{"StreamName":"s","Records":[{"PartitionKey":"k","Data":"${btoa('payload')}"}]}`

function announced(writer: BodyWriter): { StreamName: string; Records: Records } {
  const Records = [...RECORDS]
  writer.announce(Records)
  return { StreamName: 's', Records }
}

describe('the writer of bodies', () => {
  test('writes the records that were announced, also for a copy of the input', () => {
    const writer = new BodyWriter('json')
    const input = announced(writer)

    const bodies = [writer.write(input), writer.write({ ...input })].map(String)

    expect([bodies, input.Records]).toEqual([[BODY, BODY], RECORDS])
  })

  test.each([[[]], [RECORDS], [undefined]])('writes nothing for records that were not announced: %j', Records => {
    const writer = new BodyWriter('json')

    expect(() => writer.write({ StreamName: 's', Records })).toThrow(TypeError)
  })

  test('gives a buffer out again once it was released, and not before', () => {
    const writer = new BodyWriter('cbor')
    const [first, second, third] = [1, 2, 3].map(() => announced(writer))

    const buffers = [writer.write(first!).buffer, writer.write(second!).buffer]
    writer.release(first!.Records)
    buffers.push(writer.write(third!).buffer)

    expect([buffers[0] === buffers[1], buffers[0] === buffers[2]]).toEqual([false, true])
  })

  test('takes a buffer back once only', () => {
    const writer = new BodyWriter('json')
    const inputs = [1, 2, 3].map(() => announced(writer))
    writer.write(inputs[0]!)

    writer.release(inputs[0]!.Records)
    writer.release(inputs[0]!.Records)
    const buffers = inputs.slice(1).map(input => writer.write(input).buffer)

    expect(buffers[0] === buffers[1]).toBe(false)
  })

  test('knows an input no more after its release', () => {
    const writer = new BodyWriter('json')
    const input = announced(writer)
    writer.release(input.Records)

    expect(() => writer.write(input)).toThrow(TypeError)
  })
})
