/** An editor shows the comment of a name: each public name and member has a sentence, and each function an example. */
import { expect, test } from 'vitest'
import { type PublicMember, publicSurface } from './public-surface.ts'

const surface = publicSurface()

/** AWS's own words: the reference of the Kinesis API, and the guide of Lambda, explain each member. */
const SHAPES_OF_AWS =
  /^(?:\w+Input|\w+Output|PutRecords(?:Request|Result)Entry|HashKeyRange|Shard|ShardFilter|ChildShard|GetRecordsRecord|StreamAddress|StreamDescriptionBase|LambdaTestRecord|LambdaTestContext)\./

/** Interfaces that the library itself implements and hands out: their methods are functions of the library. */
const HANDED_OUT =
  /^(?:StreamReader|GlueRegistry|GlueDecoder|FakeKinesisServer|FakeGlueServer|SeededRandom)\.|^GlueSchema\.serialize$/

test('every public name and member has a sentence', () => {
  const silent = surface.filter(({ name, sentence }) => !isPlain(name) && !/^.{3,}[.:]$/ms.test(sentence))

  expect(named(silent)).toEqual([])
})

test('every public function, class and method has an example', () => {
  const bare = surface.filter(member => needsExample(member) && member.examples.length === 0)

  expect(named(bare)).toEqual([])
})

test('the comments that are there are found: of a function, a class, its members and those of a base', () => {
  const names = [
    'deaggregate',
    'KinesisProducer',
    'KinesisProducer.put',
    'StreamState.requests',
    'ProducerOptions.ordering',
    'KinesisProducer.close.timeoutMs'
  ]

  const found = names.map(name => surface.find(member => member.name === name))

  expect(found.map(member => member !== undefined && member.sentence.length > 10)).toEqual(names.map(() => true))
  expect(surface.find(({ name }) => name === 'HashKeyRange.StartingHashKey')?.sentence).toBe('')
})

/** The tag of a union says what the union's comment says. */
function isPlain(name: string): boolean {
  return SHAPES_OF_AWS.test(name) || name.endsWith('.kind')
}

function needsExample({ name, kind, isOfClass }: PublicMember): boolean {
  if (name.endsWith('.[Symbol.hasInstance]')) return false
  if (kind === 'function' || kind === 'class') return true
  return kind === 'method' && (isOfClass || HANDED_OUT.test(name))
}

function named(members: readonly PublicMember[]): string[] {
  return members.map(({ entry, name }) => `${entry}: ${name}`)
}
