import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ConsumerError,
  compareSequenceNumbers,
  formatSequenceNumber,
  parseSequenceNumber
} from '../../../src/consumer/deaggregate.ts'

const invalid = (message: string) => new ConsumerError('KPL_ERR_INVALID_INPUT', message)

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

  test.each(['', '-1', '1.5', 'latest', '__proto__', '0x10', '9'.repeat(200), 'secret'])(
    'are refused when they are %j, without being repeated',
    text => {
      const calls = [
        () => compareSequenceNumbers({ sequenceNumber: text }, { sequenceNumber: '1' }),
        () => formatSequenceNumber({ sequenceNumber: text }),
        () => parseSequenceNumber(text)
      ]

      const fault = 'sequenceNumber must be decimal digits or a word of the KCL, got text that is neither'
      for (const call of calls) expect(call).toThrow(invalid(fault))
    }
  )

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined', null],
    ['undefined', '17'],
    ['undefined', {}],
    ['null', { sequenceNumber: null }],
    ['number', { sequenceNumber: 17 }],
    ['object', { sequenceNumber: {} }]
  ])('are refused, by the same error, when they are %s: %j', (got, place) => {
    const calls = [
      () => compareSequenceNumbers({ sequenceNumber: '1' }, place as never),
      () => formatSequenceNumber(place as never)
    ]

    const fault = `sequenceNumber must be decimal digits or a word of the KCL, got ${got}`
    for (const call of calls) expect(call).toThrow(invalid(fault))
  })

  test.each([Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 'x', null])(
    'are refused with the sub-sequence number %j, with which no comparison has an answer',
    subSequenceNumber => {
      const place = { sequenceNumber: '1', subSequenceNumber: subSequenceNumber as number }
      const calls = [() => compareSequenceNumbers(place, { sequenceNumber: '1' }), () => formatSequenceNumber(place)]

      for (const call of calls) expect(call).toThrow(/^subSequenceNumber must be a whole number from 0, got /)
    }
  )

  test.each(['1:x', '1:', '1:-1', '1:1.5', '1:2:3', ':5', ' 1'])('are refused when they are read from %j', text => {
    const parse = () => parseSequenceNumber(text)

    expect(parse).toThrow(
      invalid('sequenceNumber must be decimal digits or a word of the KCL, got text that is neither')
    )
  })

  test.each([
    [undefined, 'undefined'],
    [4.9e55, 'number'],
    [null, 'null']
  ])('are refused when they are read from %j', (value, got) => {
    const parse = () => parseSequenceNumber(value as never)

    expect(parse).toThrow(invalid(`place must be text, got ${got}`))
  })

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
