import { describe, expect, test } from 'vitest'
import {
  aggregate,
  ConsumerError,
  deaggregate,
  deaggregateAll,
  RecordAggregator
} from '../../../src/consumer/deaggregate.ts'

const invalid = (message: string) => new ConsumerError('KPL_ERR_INVALID_INPUT', message)
const PLAIN = { data: 'eA==', partitionKey: 'k', sequenceNumber: '1' }

const WRONG: readonly (readonly [unknown, string])[] = [
  [null, 'options must be an object, got null'],
  [true, 'options must be an object, got boolean'],
  [[], 'options must be an object, got array'],
  [new Map(), 'options must be an object, got object'],
  [{ outOfRnge: 1 }, 'outOfRnge is not an option, did you mean outOfRange?'],
  [{ ShardRange: undefined }, 'ShardRange is not an option, did you mean shardRange?'],
  [
    { computeChecksums: false },
    'computeChecksums is not an option, there are shardRange, outOfRange, onCorrupt, maxUserRecords, copy'
  ],
  [{ toString: 1 }, 'toString is not an option, there are shardRange, outOfRange, onCorrupt, maxUserRecords, copy'],
  [{ outOfRange: 'drop' }, "outOfRange must be 'filter', 'kcl' or 'keep', got string"],
  [{ maxUserRecords: Number.NaN }, 'maxUserRecords must be a number from 0, got NaN'],
  [{ maxUserRecords: null }, 'maxUserRecords must be a number from 0, got null'],
  [{ copy: 'yes' }, 'copy must be true or false, got string'],
  [
    { onCorrupt: 'throws', outOfRnge: 1 },
    "onCorrupt must be 'plain', 'throw' or 'skip', got string; outOfRnge is not an option, did you mean outOfRange?"
  ]
]

describe('options that will not do are refused at the call', () => {
  test.each(WRONG)('of deaggregate: %j', (options, message) => {
    const call = () => deaggregate(PLAIN, options as never)

    expect(call).toThrow(invalid(message))
  })

  test.each(WRONG)('of deaggregateAll, before anything is read: %j', (options, message) => {
    const call = () => deaggregateAll([], options as never)

    expect(call).toThrow(invalid(message))
  })

  test.each<[unknown, string]>([
    [null, 'options must be an object, got null'],
    [{ maxByte: 100 }, 'maxByte is not an option, did you mean maxBytes?'],
    [{ maxBytes: '100' }, 'maxBytes must be a number from 0, got string'],
    [{ maxBytes: Number.NaN }, 'maxBytes must be a number from 0, got NaN'],
    [{ maxUserRecords: -1 }, 'maxUserRecords must be a number from 0, got -1']
  ])('of aggregate and RecordAggregator: %j', (options, message) => {
    const calls = [() => aggregate([], options as never), () => new RecordAggregator(options as never)]

    for (const call of calls) expect(call).toThrow(invalid(message))
  })
})

test('a name is shown without what a terminal would obey, and no longer than a name', () => {
  const call = () => deaggregate(PLAIN, { ['\u001b[2J' + 'x'.repeat(500)]: 1 } as never)

  expect(call).toThrow(/^\?\[2Jx{60} is not an option, there are /)
})
