import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeJson, encodeJson } from '../../src/testing/json-codec.ts'

/** Past the size from which blobs are taken out of the body before it is parsed. */
const FILLER = 'f'.repeat(20_000)

function dataOf(text: string): string[] {
  const records = decodeJson(Buffer.from(text)).list('Records') ?? []
  return records.map(entry => Buffer.from(entry.blob('Data') ?? 'none').toString('latin1'))
}

describe('the JSON codec', () => {
  test('decodes the same blobs from large bodies as from small ones', () => {
    const blobs = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 })

    fc.assert(
      fc.property(blobs, fc.string(), fc.constantFrom(0, 1), (datas, PartitionKey, indent) => {
        const Records = datas.map(data => ({ PartitionKey, Data: Buffer.from(data).toString('base64') }))
        const small = JSON.stringify({ Records }, undefined, indent)
        const large = JSON.stringify({ Filler: FILLER, Records }, undefined, indent)
        const expected = datas.map(data => Buffer.from(data).toString('latin1'))
        expect(dataOf(small)).toEqual(expected)
        expect(dataOf(large)).toEqual(expected)
      })
    )
  })

  test.each([
    ['an escaped slash', '{"Data":"ab\\/c"}', '\x69\xbf\xdc'],
    ['an escaped character', '{"Data":"ab\\u002fc"}', '\x69\xbf\xdc'],
    ['a key that looks like the member', '{"PartitionKey":"\\"Data\\":\\"","Data":"YQ=="}', 'a'],
    ['a key that is the name of the member', '{"PartitionKey":"Data","Data" : "YQ=="}', 'a'],
    ['a member with an escaped name', '{"\\u0044ata":"YQ=="}', 'a']
  ])('reads %s right in a large body', (_name, entry, expected) => {
    const body = `{"Filler":"${FILLER}","Records":[${entry}]}`

    const datas = dataOf(body)

    expect(datas).toEqual([expected])
  })

  test.each(['"%%%%"', '"YQ"', '"Y==="', '"#0"', '7'])('refuses %s as a blob in bodies of every size', value => {
    const bodies = ['', FILLER].map(filler => `{"Filler":"${filler}","Records":[{"Data":${value}}]}`)

    const messages = bodies.map(body => {
      try {
        return dataOf(body)
      } catch (error) {
        return String(error)
      }
    })

    expect(messages).toEqual(new Array(2).fill('FakeServiceError: Expected a blob for Data.'))
  })

  test('writes blobs as base64, also those that are a view of a larger buffer', () => {
    const view = new Uint8Array(Buffer.from('xabcx')).subarray(1, 4)

    const text = encodeJson({ Records: [{ Data: view, PartitionKey: 'k' }], MillisBehindLatest: 0 })

    expect(text).toBe('{"Records":[{"Data":"YWJj","PartitionKey":"k"}],"MillisBehindLatest":0}')
  })
})
