import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareSequenceNumbers, formatSequenceNumber, parseSequenceNumber } from '../../../src/consumer/deaggregate.ts'

describe('extended sequence numbers', () => {
  test('are ordered as the KCL orders checkpoints', () => {
    const ordered = [
      'AT_TIMESTAMP:0',
      'TRIM_HORIZON:0',
      'LATEST:0',
      '0:0',
      '9:0',
      '9:1',
      '9:10',
      '10:0',
      '49581544954143914480256700934210366840104395343224897586:2',
      '49581544954143914480256700934210366840104395343224897586:11',
      '49581544954143914480256700934210366840104395343224897587:0',
      'SHARD_END:0'
    ]

    const sorted = [...ordered]
      .reverse()
      .map(parseSequenceNumber)
      .sort(compareSequenceNumbers)
      .map(formatSequenceNumber)

    expect(sorted).toEqual(ordered)
  })

  test('are the same place when only leading zeros or an absent sub-sequence number differ', () => {
    const answers = [
      compareSequenceNumbers({ sequenceNumber: '007', subSequenceNumber: 0 }, { sequenceNumber: '7' }),
      compareSequenceNumbers({ sequenceNumber: 'SHARD_END' }, { sequenceNumber: 'SHARD_END', subSequenceNumber: 0 })
    ]

    expect(answers).toEqual([0, 0])
  })

  test.each(['', '-1', '1.5', 'latest', '__proto__', '0x10', '9'.repeat(200)])('are refused when they are %j', text => {
    const compare = () => compareSequenceNumbers({ sequenceNumber: text }, { sequenceNumber: '1' })

    expect(compare).toThrow(SyntaxError)
  })

  test.each([undefined, null, {}])('are refused, by the same error, when they are %j', sequenceNumber => {
    const compare = () => compareSequenceNumbers({ sequenceNumber: sequenceNumber as never }, { sequenceNumber: '1' })

    expect(compare).toThrow(SyntaxError)
  })

  test.each(['1:x', '1:', '1:-1', '1:1.5', '1:2:3'])(
    'are refused with a sub-sequence number that is none: %s',
    text => {
      const parse = () => parseSequenceNumber(text)

      expect(parse).toThrow(new SyntaxError(`not a place in a shard: ${text}`))
    }
  )

  test('are read back as they were printed', () => {
    const anyPlace = fc.record({
      sequenceNumber: fc.bigInt({ min: 0n, max: 1n << 186n }).map(String),
      subSequenceNumber: fc.nat()
    })

    fc.assert(
      fc.property(anyPlace, place => {
        expect(parseSequenceNumber(formatSequenceNumber(place))).toEqual(place)
      })
    )

    expect(parseSequenceNumber('17')).toEqual({ sequenceNumber: '17', subSequenceNumber: 0 })
  })
})
