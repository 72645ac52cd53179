/**
 * The decoder against protobufjs on mutants of aggregates. Where the two differ, a slow third parser has a switch for
 * it: with its switches as ours are it must say what we say, and with protobufjs's what protobufjs says.
 * Invariant: `DIFFERENCES` has every difference there is, each with its reason.
 */
import { describe, expect, test } from 'vitest'
import { decodeEnvelope, type EnvelopeMember } from '../../src/wire/decode.ts'
import { MalformedEnvelopeError } from '../../src/wire/format.ts'
import { oracle } from '../wire/oracle.ts'
import { checkMutants } from './aggregates.ts'
import { shareOf, TIMEOUT_MS } from './cases.ts'
import { framed } from './fields.ts'
import { type Dialect, parseProto2 } from './proto2.ts'

const OURS: Dialect = {
  maxTagBytes: 10,
  maxLengthBytes: 10,
  maxUnknownNumberBytes: 10,
  maxGroups: 100,
  areIndexesChecked: true,
  areKeysChecked: true
}
const PROTOBUFJS: Dialect = {
  maxTagBytes: 5,
  maxLengthBytes: 5,
  maxUnknownNumberBytes: Number.POSITIVE_INFINITY,
  maxGroups: 101,
  areIndexesChecked: false,
  areKeysChecked: false
}

const GOOD = '0a0161 1a0508001a0178'

interface Difference {
  readonly what: string
  readonly reason: string
  readonly isReadByUs: boolean
  /** The switch that alone makes the third parser go over from one side to the other. */
  readonly by: keyof Dialect
  readonly body: string
}

const DIFFERENCES: readonly Difference[] = [
  {
    what: 'a tag of 6 to 10 bytes',
    reason:
      'protobuf-java, and so the KCL, reads up to 10 bytes and superfluous zeros change nothing; protobufjs refuses it',
    isReadByUs: true,
    by: 'maxTagBytes',
    body: '8a8080808000 0161 1a0508001a0178'
  },
  {
    what: 'a length of 6 to 10 bytes',
    reason:
      'protobuf-java, and so the KCL, reads up to 10 bytes and superfluous zeros change nothing; protobufjs refuses it',
    isReadByUs: true,
    by: 'maxLengthBytes',
    body: '0a818080808000 61 1a0508001a0178'
  },
  {
    what: 'an unknown number of more than 10 bytes',
    reason: 'no number is longer than 10 bytes, and protobuf-java refuses it; protobufjs skips without counting',
    isReadByUs: false,
    by: 'maxUnknownNumberBytes',
    body: `${GOOD} 28 8080808080 8080808080 00`
  },
  {
    what: 'a group 101 deep with nothing in it',
    reason: 'protobuf-java allows 100; protobufjs counts what is inside a group, not the group',
    isReadByUs: false,
    by: 'maxGroups',
    body: `${GOOD} ${'2b'.repeat(101)}${'2c'.repeat(101)}`
  },
  {
    what: 'an index outside its table',
    reason: 'what an index means is not in the schema; the KCL loses the members from there on',
    isReadByUs: false,
    by: 'areIndexesChecked',
    body: '0a0161 1a0508011a0178'
  },
  {
    what: 'a key that is not UTF-8',
    reason:
      'proto2 parsers put U+FFFD; decodeEnvelope is for envelopes of our own, which have none (deaggregate puts it)',
    isReadByUs: false,
    by: 'areKeysChecked',
    body: '0a01ff 1a0508001a0178'
  }
]

describe('the decoder against protobufjs', () => {
  test(`says what protobufjs says, but for the known differences (${shareOf(4)} mutants)`, {
    timeout: TIMEOUT_MS
  }, async () => {
    await expect(checkMutants(shareOf(4), faultOf)).resolves.toBeUndefined()
  })

  test.each(DIFFERENCES)('differs on $what', ({ body, by, isReadByUs }) => {
    const bytes = Buffer.from(body.replaceAll(' ', ''), 'hex')

    const isRead = {
      byUs: ours(bytes) !== undefined,
      byProtobufjs: theirs(bytes) !== undefined,
      withOurSwitches: parseProto2(bytes, OURS) !== undefined,
      withThatOneChanged: parseProto2(bytes, { ...OURS, [by]: PROTOBUFJS[by] }) !== undefined
    }

    expect(isRead).toEqual({
      byUs: isReadByUs,
      byProtobufjs: !isReadByUs,
      withOurSwitches: isReadByUs,
      withThatOneChanged: !isReadByUs
    })
  })

  test('has a difference for every switch of the third parser', () => {
    const switches = new Set(DIFFERENCES.map(difference => difference.by))

    expect(switches).toEqual(new Set(Object.keys(OURS)))
  })
})

/** What is wrong with the answers about a body; undefined when nothing is. */
function faultOf(body: Uint8Array): string | undefined {
  const our = ours(body)
  const their = theirs(body)
  const expected = parseProto2(body, OURS)?.map(({ partitionKey, explicitHashKey, data }) => ({
    partitionKey: textOf(partitionKey) ?? '',
    explicitHashKey: textOf(explicitHashKey),
    data
  }))
  if (!isSame(our, expected)) return `${our ? 'read' : 'refused'} by us, not by the third parser, or otherwise`
  const isReadByThem = parseProto2(body, PROTOBUFJS) !== undefined
  if (isReadByThem !== (their !== undefined)) return 'protobufjs has a difference that is not in the list'
  return our === undefined || their === undefined || isSame(our, their) ? undefined : 'other members than protobufjs'
}

function ours(body: Uint8Array): EnvelopeMember[] | undefined {
  try {
    return decodeEnvelope(framed(body))
  } catch (error) {
    if (error instanceof MalformedEnvelopeError) return undefined
    throw error
  }
}

function theirs(body: Uint8Array): EnvelopeMember[] | undefined {
  try {
    return oracle(body)
  } catch {
    // Not swallowed: protobufjs throws errors of many kinds, and all of them are a refusal.
    return undefined
  }
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString()
}

/** Whole answers, without the cost of a matcher for each. */
function isSame(left: readonly EnvelopeMember[] | undefined, right: readonly EnvelopeMember[] | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  return left.length === right.length && left.every((member, i) => isSameMember(member, right[i]!))
}

function isSameMember(left: EnvelopeMember, right: EnvelopeMember): boolean {
  return (
    left.partitionKey === right.partitionKey &&
    left.explicitHashKey === right.explicitHashKey &&
    Buffer.compare(left.data, right.data) === 0
  )
}
