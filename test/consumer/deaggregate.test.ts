import { describe, expect, test } from 'vitest'
import {
  aggregateInfo,
  type ConsumedRecord,
  type DeaggregateOptions,
  deaggregate,
  deaggregateAll,
  isAggregated,
  MalformedEnvelopeError
} from '../../src/consumer/deaggregate.ts'
import { edgeBytes, type Outcome, vectors, wrap } from '../wire/vectors.ts'

const SEQUENCE_NUMBER = '49581544954143914480256700934210366840104395343224897586'
const OUTER = { PartitionKey: 'outer', SequenceNumber: SEQUENCE_NUMBER }

function read(bytes: Uint8Array, options?: DeaggregateOptions): ConsumedRecord[] {
  return [...deaggregate({ ...OUTER, Data: bytes }, options)]
}

/** The outer record handed on unchanged. */
function rawRecord(bytes: Uint8Array): ConsumedRecord {
  return {
    partitionKey: 'outer',
    explicitHashKey: undefined,
    data: new Uint8Array(bytes),
    sequenceNumber: SEQUENCE_NUMBER,
    subSequenceNumber: 0,
    aggregated: false,
    arrivalTimestamp: undefined
  }
}

function member(partitionKey: string, explicitHashKey: string | null, sub: number, data: Uint8Array): ConsumedRecord {
  return {
    ...rawRecord(data),
    partitionKey,
    explicitHashKey: explicitHashKey ?? undefined,
    subSequenceNumber: sub,
    aggregated: true
  }
}

/** What the KCL was seen to do, as our records; the file shows the first six. */
function observed(outcome: Outcome, bytes: Uint8Array): ConsumedRecord[] {
  if (outcome.kind === 'raw') return [rawRecord(bytes)]
  return outcome.records!.map(({ pk, ehk, sub, dataHex }) =>
    member(pk, ehk, sub, Uint8Array.from(Buffer.from(dataHex, 'hex')))
  )
}

/** The code of what a call threw; fails when it threw nothing or something untyped. */
function thrownBy(call: () => unknown): { code: string; sequenceNumber: string | undefined } {
  try {
    call()
  } catch (error) {
    if (error instanceof MalformedEnvelopeError) return { code: error.code, sequenceNumber: error.sequenceNumber }
    throw error
  }
  throw new Error('nothing was thrown')
}

const corrupt = { code: 'KPL_ERR_MALFORMED_ENVELOPE', sequenceNumber: SEQUENCE_NUMBER }
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const hex = (text: string): Uint8Array => wrap(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const two = hex('0a0161 0a0162 1a0508001a0178 1a0508011a0179')

describe('deaggregate on the golden records', () => {
  test('has all of them', () => {
    const counts = [vectors.literal, vectors.edge, vectors.hashRange, vectors.hashKeys].map(list => list.length)

    expect(counts).toEqual([11, 52, 9, 4])
  })

  test.each(vectors.edge.filter(v => v.recommended.outcome === 'same as kcl'))('does as the KCL with $id', vector => {
    const bytes = edgeBytes(vector)
    const { kcl } = vector.observed

    const records = read(bytes)

    expect(records.slice(0, 6)).toStrictEqual(observed(kcl, bytes))
    expect(records.length).toBe(kcl.kind === 'raw' ? 1 : kcl.count)
  })

  test.each(vectors.edge.filter(v => v.recommended.outcome === 'records'))(
    'carries the key of $id verbatim',
    vector => {
      const text = Buffer.from(vector.base64!, 'base64')
        .subarray(9, -16 - 9)
        .toString()

      const records = read(edgeBytes(vector))

      expect(records).toStrictEqual([member('a', text, 0, bytesOf('x'))])
    }
  )

  test.each(vectors.edge.filter(v => ['malformed', 'raw'].includes(v.recommended.outcome)))(
    'follows onCorrupt with $id, delivering no part of it',
    vector => {
      const bytes = edgeBytes(vector)

      const plain = read(bytes, { onCorrupt: 'plain' })
      const skipped = read(bytes, { onCorrupt: 'skip' })
      const thrown = thrownBy(() => deaggregate({ ...OUTER, Data: bytes }, { onCorrupt: 'throw' }))

      expect([plain, skipped, thrown]).toStrictEqual([[rawRecord(bytes)], [], corrupt])
    }
  )

  test.each(vectors.hashRange)("follows the KCL's range rule with $id", vector => {
    const { startingHashKey, endingHashKey } = vector
    const bytes = Uint8Array.from(Buffer.from(vector.base64, 'base64'))

    const records = read(bytes, { shardRange: { startingHashKey, endingHashKey }, outOfRange: 'kcl' })

    expect(records).toStrictEqual(observed(vector.observedKcl, bytes))
  })

  test.each(vectors.hashKeys)('gives the key $partitionKey the hash key $hashKeyDecimal', vector => {
    const key = Buffer.from(vector.partitionKey)
    const hashKey = BigInt(vector.hashKeyDecimal)
    const length = key.length < 128 ? [key.length] : [(key.length & 127) | 128, key.length >> 7]
    const bytes = wrap([0x0a, ...length, ...key, 0x1a, 5, 8, 0, 0x1a, 1, 0x78])
    const at = (starting: bigint, ending: bigint) => ({
      shardRange: { startingHashKey: starting, endingHashKey: ending }
    })

    const counts = [
      read(bytes, at(hashKey, hashKey)),
      read(bytes, at(0n, hashKey - 1n)),
      read(bytes, at(hashKey + 1n, (1n << 128n) - 1n))
    ].map(records => records.length)

    expect(counts).toEqual([1, 0, 0])
  })

  test.each(vectors.literal.filter(v => Array.isArray(v.expected.records)))('reads $id', vector => {
    const bytes = Uint8Array.from(Buffer.from(vector.value, 'base64'))
    const expected = vector.expected.records as Exclude<typeof vector.expected.records, string | undefined>

    const records = read(bytes)

    expect(records).toStrictEqual(
      expected.map(r => member(r.partitionKey, r.explicitHashKey, r.subSequenceNumber, bytesOf(r.dataUtf8)))
    )
  })

  test.each(vectors.literal.filter(v => v.expected.kind.startsWith('raw')))('hands on $id unchanged', vector => {
    const bytes = Uint8Array.from(Buffer.from(vector.value, 'base64'))

    const records = read(bytes)

    expect(records).toStrictEqual([rawRecord(bytes)])
  })

  test('reads the two literal records that are given as a rule', () => {
    const literal = (id: string) =>
      Uint8Array.from(Buffer.from(vectors.literal.find(v => v.id === id)!.value, 'base64'))
    const alphabet = 'abcdefghijklmnopqrstuvwxyz'
    const reversed = [...alphabet].reverse().join('')
    const hashKey = '191415658344158766168031473277922803570'

    const java = read(literal('java-aggregator-100-records'))
    const fluentd = read(literal('fluentd-style-13-records'))

    expect(java).toStrictEqual(
      Array.from({ length: 100 }, (_, i) => member('abc', hashKey, i, bytesOf(i % 2 === 0 ? alphabet : reversed)))
    )
    expect(fluentd).toStrictEqual(
      Array.from({ length: 13 }, (_, i) =>
        member('34b94c1e237327cef7d12ee806b8b286', null, i, bytesOf('{"data":"this is ping message"}\n'))
      )
    )
  })
})

describe('deaggregate on the shapes of a record', () => {
  const base64 = Buffer.from(two).toString('base64')
  const placed = (arrivalTimestamp: number | undefined, sequenceNumber = '7') =>
    ['a', 'b'].map((key, i) => ({
      ...member(key, null, i, bytesOf(i === 0 ? 'x' : 'y')),
      sequenceNumber,
      arrivalTimestamp
    }))

  test.each([
    [
      'the SDK v3',
      { Data: two, PartitionKey: 'a', SequenceNumber: '7', ApproximateArrivalTimestamp: new Date(1500) },
      1500
    ],
    [
      'the SDK v3 with a Buffer and no time',
      { Data: Buffer.from(two), PartitionKey: 'a', SequenceNumber: '7' },
      undefined
    ],
    [
      'a Lambda event',
      {
        kinesis: { data: base64, partitionKey: 'a', sequenceNumber: '7', approximateArrivalTimestamp: 1518133507.063 }
      },
      1518133507063
    ],
    ["a Lambda event's payload", { data: base64, partitionKey: 'a', sequenceNumber: '7' }, undefined],
    [
      'Firehose',
      {
        recordId: 'r',
        data: base64,
        approximateArrivalTimestamp: 9,
        kinesisRecordMetadata: { partitionKey: 'a', sequenceNumber: '7', approximateArrivalTimestamp: 1562602080951 }
      },
      1562602080951
    ],
    [
      'an Analytics preprocessor',
      {
        recordId: 'r',
        data: base64,
        kinesisStreamRecordMetadata: { partitionKey: 'a', sequenceNumber: '7', approximateArrivalTimestamp: 8 }
      },
      8
    ]
  ])('reads %s', (_, record, arrivalTimestamp) => {
    const records = [...deaggregate(record)]

    expect(records).toStrictEqual(placed(arrivalTimestamp))
  })

  test('reads bare bytes and a Firehose record that came from no stream, without sequence number', () => {
    const bare = [...deaggregate(two)]
    const direct = [...deaggregate({ recordId: 'r', data: base64, approximateArrivalTimestamp: 5 })]

    expect([bare, direct]).toStrictEqual([placed(undefined, ''), placed(5, '')])
  })

  test.each(vectors.literal.filter(v => v.lambdaRecord !== undefined))('reads the recorded event of $id', vector => {
    const event = vector.lambdaRecord as Parameters<typeof deaggregate>[0]

    const records = [...deaggregate(event)]

    expect(records.map(r => [r.partitionKey, r.explicitHashKey, r.data, r.subSequenceNumber])).toEqual(
      read(Uint8Array.from(Buffer.from(vector.value, 'base64'))).map(r => [
        r.aggregated ? r.partitionKey : '1562602074896',
        r.explicitHashKey,
        r.data,
        r.subSequenceNumber
      ])
    )
    expect(records.every(r => /^\d{56}$/.test(r.sequenceNumber) && r.arrivalTimestamp! > 1.5e12)).toBe(true)
  })

  test('takes an SDK record without data for an empty one', () => {
    const record = { Data: undefined, PartitionKey: undefined, SequenceNumber: '1' }

    const records = [...deaggregate(record)]

    expect(records).toStrictEqual([{ ...rawRecord(new Uint8Array()), partitionKey: '', sequenceNumber: '1' }])
  })
})

describe('deaggregate with options', () => {
  const low = { startingHashKey: 0n, endingHashKey: (1n << 127n) - 1n }
  const a = member('a', null, 0, bytesOf('x'))
  const b = member('b', null, 1, bytesOf('y'))

  // MD5 of 'a' is in the lower half of the hash keys, that of 'b' in the upper.
  test.each([
    ['drops only the members outside by default', undefined, [a]],
    ['drops only the members outside on filter', 'filter', [a]],
    ['drops all of an aggregate with a member outside on kcl', 'kcl', []],
    ['does not look on keep', 'keep', [a, b]]
  ] as const)('%s', (_, outOfRange, expected) => {
    const records = read(two, { shardRange: low, outOfRange })

    expect(records).toStrictEqual(expected)
  })

  test('takes the range as the SDK describes a shard, and keeps sub-sequence numbers when it filters', () => {
    const HashKeyRange = { StartingHashKey: `${1n << 127n}`, EndingHashKey: `${(1n << 128n) - 1n}` }

    const records = read(two, { shardRange: HashKeyRange })

    expect(records).toStrictEqual([b])
  })

  test('hashes the raw bytes of a key that is not UTF-8', () => {
    // MD5 of FF is 00594fd4f42ba43fc1ca0427a0576295; that of U+FFFD in UTF-8 is another one.
    const hashKey = 0x00594fd4f42ba43fc1ca0427a0576295n
    const bytes = hex('0a01ff 1a0508001a0178')

    const records = read(bytes, { shardRange: { startingHashKey: hashKey, endingHashKey: hashKey } })

    expect(records).toStrictEqual([member('\ufffd', null, 0, bytesOf('x'))])
  })

  test.each(['-1', '340282366920938463463374607431768211456', '9'.repeat(4000), 'zz', ''])(
    'keeps on filter a member whose explicit hash key no shard can own: %s',
    text => {
      const length = [(text.length % 128) | (text.length > 127 ? 128 : 0), text.length >> 7]
      const head = [0x0a, 1, 0x61, 0x12, ...length.slice(0, text.length > 127 ? 2 : 1)]
      const bytes = wrap([...head, ...Buffer.from(text), 0x1a, 7, 8, 0, 0x10, 0, 0x1a, 1, 0x78])

      const records = read(bytes, { shardRange: low })

      expect(records).toStrictEqual([member('a', text, 0, bytesOf('x'))])
    }
  )

  test.each(['007', '+7', '-0'])('reads the explicit hash key %s as Java does', text => {
    const bytes = wrap([
      0x0a,
      1,
      0x62,
      0x12,
      text.length,
      ...Buffer.from(text),
      ...[0x1a, 7, 8, 0, 0x10, 0, 0x1a, 1, 0x78]
    ])

    const records = read(bytes, { shardRange: low, outOfRange: 'kcl' })

    expect(records).toStrictEqual([member('b', text, 0, bytesOf('x'))])
  })

  test('calls an aggregate corrupt on kcl when the KCL would break off in the middle', () => {
    const bytes = hex('0a0161 12027a7a 1a0508001a0178 1a0708001000 1a0179')

    const records = read(bytes, { outOfRange: 'kcl' })
    const thrown = thrownBy(() => read(bytes, { outOfRange: 'kcl', onCorrupt: 'throw' }))

    expect([records, thrown]).toStrictEqual([[rawRecord(bytes)], corrupt])
  })

  test('never filters a plain record', () => {
    const shardRange = { startingHashKey: '5', endingHashKey: '5' }

    const records = read(bytesOf('plain'), { shardRange, outOfRange: 'kcl' })

    expect(records).toStrictEqual([rawRecord(bytesOf('plain'))])
  })

  test.each([
    ['too short for a digest', Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2, 1)],
    ['a wrong digest', two.map((byte, i) => (i === two.length - 1 ? byte ^ 1 : byte))],
    ['a body that does not parse', wrap(bytesOf('test message'))]
  ])('follows onCorrupt for bytes with the magic and %s', (_, bytes) => {
    const plain = read(bytes)
    const skipped = read(bytes, { onCorrupt: 'skip' })
    const thrown = thrownBy(() => read(bytes, { onCorrupt: 'throw' }))

    expect([plain, skipped, thrown]).toStrictEqual([[rawRecord(bytes)], [], corrupt])
  })

  test('takes bytes without the magic for a record under every policy', () => {
    const policies = ['plain', 'throw', 'skip'] as const

    const answers = policies.map(onCorrupt => read(bytesOf('plain'), { onCorrupt }))

    expect(answers).toStrictEqual(policies.map(() => [rawRecord(bytesOf('plain'))]))
  })

  test('names the sequence number and shows no payload when it throws', () => {
    const secret = wrap(bytesOf('secret payload'))

    const message = (() => {
      try {
        return read(secret, { onCorrupt: 'throw' })
      } catch (error) {
        return String(error)
      }
    })()

    expect(message).toBe(
      `MalformedEnvelopeError: malformed aggregated record ${SEQUENCE_NUMBER}: truncated field at byte 21`
    )
  })

  test('takes an aggregate with more than maxUserRecords for corrupt', () => {
    const answers = [1, 2].map(maxUserRecords => read(two, { maxUserRecords }))

    expect(answers).toStrictEqual([[rawRecord(two)], [a, b]])
  })

  test('gives views into the input, and own bytes on copy', () => {
    const views = [...read(two), ...read(bytesOf('p'))]
    const copies = [...read(two, { copy: true }), ...read(two.slice(0, 9), { copy: true })]

    expect(views.slice(0, 2).map(record => record.data.buffer === two.buffer)).toEqual([true, true])
    expect(copies.map(record => record.data.byteLength === record.data.buffer.byteLength)).toEqual([true, true, true])
  })
})

describe('deaggregateAll', () => {
  test('gives the user records of a list in order and reads no further than it is asked', () => {
    const taken: number[] = []
    function* records() {
      for (let i = 0; i < 3; i++) {
        taken.push(i)
        yield { Data: i === 1 ? bytesOf('plain') : two, PartitionKey: 'outer', SequenceNumber: `${i}` }
      }
    }

    const iterator = deaggregateAll(records())
    const first = Array.from({ length: 3 }, () => iterator.next().value)
    const takenSoFar = [...taken]
    const rest = [...iterator]

    expect([...first, ...rest].map(r => [r?.sequenceNumber, r?.subSequenceNumber, r?.partitionKey])).toEqual([
      ['0', 0, 'a'],
      ['0', 1, 'b'],
      ['1', 0, 'outer'],
      ['2', 0, 'a'],
      ['2', 1, 'b']
    ])
    expect(takenSoFar).toEqual([0, 1])
  })
})

describe('aggregateInfo and isAggregated', () => {
  test('tell of an aggregate without making its user records', () => {
    const bytes = hex('0a0161 0a0162 0a0161 120139 1a0508001a0178 1a0808011000 1a027979')

    const info = aggregateInfo(bytes)

    expect(info).toStrictEqual({
      aggregated: true,
      digest: 'valid',
      fault: undefined,
      userRecordCount: 2,
      partitionKeys: ['a', 'b', 'a'],
      explicitHashKeys: ['9'],
      dataBytes: 3,
      recordBytes: bytes.length
    })
    expect(isAggregated(bytes)).toBe(true)
  })

  test.each([
    ['a plain record', bytesOf('plain'), 'absent', undefined, false],
    ['a wrong digest', two.slice(0, -1), 'invalid', 'digest does not match', false],
    ['a body that does not parse', wrap([0x0f]), 'valid', 'wire type 7', true]
  ] as const)('tell of %s', (_, bytes, digest, fault, isFramed) => {
    const info = aggregateInfo(bytes)

    expect(info).toStrictEqual({
      aggregated: false,
      digest,
      fault,
      userRecordCount: 1,
      partitionKeys: [],
      explicitHashKeys: [],
      dataBytes: bytes.length,
      recordBytes: bytes.length
    })
    expect(isAggregated(bytes)).toBe(isFramed)
  })
})
