import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvFraming } from '../../src/cli/input/csv.ts'
import { envelopeLine, itemOfEnvelope } from '../../src/cli/input/envelope.ts'
import { lineFraming, ndjsonFraming, u32Framing } from '../../src/cli/input/framing.ts'
import type { Framing, Item } from '../../src/cli/input/item.ts'
import { JsonPath } from '../../src/cli/input/json-path.ts'
import { type KeyFlags, keySelector } from '../../src/cli/input/key-selector.ts'
import { truncated } from '../../src/cli/input/truncate.ts'
import { seededRandom } from '../../src/testing/index.ts'

const SPLIT = { separator: Buffer.from('\n'), keepCr: false, keepSeparator: false, maxLineBytes: 100 }

describe('lines', () => {
  test.each([
    ['a newline between each', 'a\nb\n', ['a', 'b']],
    ['a last line without newline', 'a\nb', ['a', 'b']],
    ['CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['a lone carriage return', 'a\rb\n', ['a\rb']],
    ['empty lines', '\n\na\n', ['', '', 'a']],
    ['nothing', '', []]
  ])('of an input with %s are what stands between newlines', async (_, text, lines) => {
    expect(await textsOf(lineFraming(SPLIT), [Buffer.from(text)])).toEqual(lines)
  })

  test('do not depend on where the input is cut into chunks', async () => {
    const line = fc.string({ unit: 'binary', maxLength: 20 }).map(text => text.replace(/[\r\n]/g, '-'))
    const input = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(input, fc.array(fc.nat(12), { minLength: 1, maxLength: 20 }), async (rows, cuts) => {
        const bytes = Buffer.from(rows.map(([text, end]) => text + end).join(''))

        const texts = await textsOf(lineFraming(SPLIT), cut(bytes, cuts))

        expect(texts).toEqual(rows.map(([text]) => Buffer.from(text).toString()))
      })
    )
  })

  test.each([99, 100, 101, 102, 250, 1000])('of %d bytes are whole, or passed over as a whole', async length => {
    const bytes = Buffer.from(`a\n${'x'.repeat(length)}\nb\n`)

    const whole = await textsOf(lineFraming(SPLIT), [bytes])
    const inPieces = await textsOf(lineFraming(SPLIT), cut(bytes, [7]))

    const expected = ['a', length <= 100 ? 'x'.repeat(length) : 'CLI_ERR_LINE_TOO_LONG', 'b']
    expect([whole, inPieces]).toEqual([expected, expected])
  })

  test('may be separated by several bytes that are cut by a chunk', async () => {
    const framing = lineFraming({ ...SPLIT, separator: Buffer.from('--') })

    expect(await textsOf(framing, [Buffer.from('a-'), Buffer.from('-b-c-'), Buffer.from('-')])).toEqual(['a', 'b-c'])
  })

  test('keep their newline and bytes that are not UTF-8, if that is wanted', async () => {
    const framing = lineFraming({ ...SPLIT, keepSeparator: true })

    const items = await itemsOf(framing, [Buffer.from([0xff, 0xfe, 0x0a, 0x80])])

    expect(items.map(({ data }) => [...data])).toEqual([[0xff, 0xfe, 0x0a], [0x80]])
  })
})

test('NDJSON passes over blank lines and names those that are not JSON', async () => {
  const texts = await textsOf(ndjsonFraming(SPLIT), [Buffer.from('{"a":1}\n\n  \n{"a":\n[1]\n')])

  expect(texts).toEqual(['{"a":1}', 'CLI_ERR_BAD_LINE', '[1]'])
})

test('lengths before records are read across chunks, and an input that ends within a record is refused', async () => {
  const bytes = Buffer.from([0, 0, 0, 2, 0x61, 0x62, 0, 0, 0, 0, 0, 0, 0, 1, 0x63])

  expect(await textsOf(u32Framing(), cut(bytes, [3]))).toEqual(['ab', '', 'c'])
  await expect(textsOf(u32Framing(), [bytes.subarray(0, 14)])).rejects.toThrow('the input ends 4 bytes into a record')
})

describe('CSV', () => {
  const OPTIONS = { delimiter: ',', keyColumn: 'name', hasHeader: false, keepNewline: false, maxRowBytes: 1000 }

  test.each([1, 3, 1000])('rows keep their bytes, quotes and newlines included, in chunks of %d', async size => {
    const text = 'count,name\n1,"a, b"\n2,"c\nd"\r\n\n3,"say ""hi"""\n4,\n'

    const items = await itemsOf(csvFraming(OPTIONS), cut(Buffer.from(text), [size]))

    expect(items.map(({ data, partitionKey }) => [Buffer.from(data).toString(), partitionKey])).toEqual([
      ['1,"a, b"', 'a, b'],
      ['2,"c\nd"', 'c\nd'],
      ['3,"say ""hi"""', 'say "hi"'],
      ['4,', '']
    ])
  })

  test('a column by its place needs no header', async () => {
    const items = await itemsOf(csvFraming({ ...OPTIONS, keyColumn: '2' }), [Buffer.from('1,a\n2,b')])

    expect(items.map(({ partitionKey }) => partitionKey)).toEqual(['a', 'b'])
  })

  test('a column that the header lacks is refused with the nearest name', async () => {
    await expect(itemsOf(csvFraming(OPTIONS), [Buffer.from('count,nmae\n1,a\n')])).rejects.toThrow(
      '--key-column: the header has no name; did you mean nmae?'
    )
  })
})

describe('a JSON path', () => {
  test.each([
    ['.id', '{"id":12345678901234567890}', '12345678901234567890'],
    ['.id', '{"id":1.50}', '1.50'],
    ['.id', '{"id":"a","id":"b"}', 'b'],
    ['.id', '{"id":"a","id":null}', 'other'],
    ['.id', '{"\\u0069d":"x\\ny"}', 'x\ny'],
    ['.user.id', '{"user":{"a":[1,{"id":0}],"id":true}}', 'true'],
    ['.user.id', '{"user":{"id":"a"},"user":{}}', 'missing'],
    ['.a[1]', '{"a":[0,"b"]}', 'b'],
    ['.a[-1]', '{"a":[0,[1],"c"]}', 'c'],
    ['.a[-4]', '{"a":[0,1,2]}', 'missing'],
    ['."odd name"', '{"odd name":"x"}', 'x'],
    ['.["x"][0].y', '{"x":[{"y":"z"}]}', 'z'],
    ['.id', '{"id":{"a":1}}', 'other'],
    ['.id', '{"id":"a"', 'not-json'],
    ['.id', '{"id":"a"} x', 'not-json'],
    ['.id', '{"id":01}', 'not-json'],
    ['.id', "{'id':1}", 'not-json'],
    ['.id', `${'['.repeat(2000)}${']'.repeat(2000)}`, 'not-json'],
    ['.id', '', 'not-json']
  ])('%s in %s', (path, text, expected) => {
    const found = new JsonPath(path).find(Buffer.from(text))

    expect(found.kind === 'text' ? found.text : found.kind).toBe(expected)
  })

  test('finds what JSON.parse finds, and takes for JSON what JSON.parse takes', () => {
    const path = new JsonPath('.a')
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), fc.nat(40), fc.string({ maxLength: 2 }), (value, at, noise) => {
        const whole = `{"b":${value},"a":${value}}`
        const text = whole.slice(0, at) + noise + whole.slice(at)

        const found = path.find(Buffer.from(text))

        expect(found.kind === 'not-json').toBe(!isJson(text))
      })
    )
  })

  test.each([
    ['', 1],
    ['id', 1],
    ['.a..b', 3],
    ['.a[x]', 3],
    ['.a["b]', 3]
  ])('%s is refused at column %d', (path, column) => {
    expect(() => new JsonPath(path)).toThrow(`the path is wrong at column ${column};`)
  })
})

describe('the key', () => {
  const keyOf = (flags: KeyFlags, text: string) =>
    keySelector(flags, seededRandom(1))({ data: Buffer.from(text) }, '/logs/a').partitionKey

  test.each<[KeyFlags, string, string | undefined]>([
    [{ key: '.id' }, '{"id":7}', '7'],
    [{ key: '.id' }, '{"id":""}', undefined],
    [{ key: '.id' }, `{"id":"${'x'.repeat(257)}"}`, undefined],
    [{ key: '.id' }, '{"id":"\\ud800"}', undefined],
    [{ keyConst: 'k' }, 'x', 'k'],
    [{ keyRegex: 'user=(\\w+)' }, 'a user=bob b', 'bob'],
    [{ keyRegex: 'user=(\\w+)' }, 'nobody', undefined],
    [{ keySplit: ':' }, 'k:v:w', 'k'],
    [{ keySplit: ':' }, 'none', undefined],
    [{ keyPath: true }, 'x', '/logs/a'],
    [{ keyHash: 'md5' }, 'x', '9dd4e461268c8034f5c8564e155c67a6']
  ])('of %o for %s is %s', (flags, text, key) => {
    expect(keyOf(flags, text)).toBe(key)
  })

  test('of --key-split is not part of the data', () => {
    const { data } = keySelector({ keySplit: ':' }, seededRandom(1))({ data: Buffer.from('k:v:w') }, undefined)

    expect(Buffer.from(data).toString()).toBe('v:w')
  })

  test('is one of few random keys of four letters by default', () => {
    const select = keySelector({}, seededRandom(1))

    const keys = new Set(Array.from({ length: 20_000 }, () => select({ data: Buffer.of() }, undefined).partitionKey!))

    expect({
      few: keys.size <= 4096 && keys.size > 3000,
      short: [...keys].every(key => /^[a-z0-9]{4}$/.test(key))
    }).toEqual({
      few: true,
      short: true
    })
  })

  test('can be chosen in one way only, and needs a group', () => {
    expect(() => keySelector({ key: '.a', keyConst: 'b' }, seededRandom(1))).toThrow('only one of --key, --key-const')
    expect(() => keySelector({ keyRegex: 'a' }, seededRandom(1))).toThrow('--key-regex needs a group')
    expect(() => keySelector({ keyRegex: '(' }, seededRandom(1))).toThrow('is not a regular expression')
  })
})

describe('an envelope', () => {
  test('gives back the record that it was made of', () => {
    const record = fc.record({
      partitionKey: fc.string({ minLength: 1 }),
      explicitHashKey: fc.option(fc.nat().map(String), { nil: undefined }),
      data: fc.uint8Array({ maxLength: 40 }),
      stream: fc.option(fc.constant('s'), { nil: undefined })
    })
    fc.assert(
      fc.property(record, given => {
        const { partitionKey, explicitHashKey, data, streamName } = itemOfEnvelope(
          Buffer.from(envelopeLine(given, { error: 1 }))
        )

        expect({ partitionKey, explicitHashKey, data: [...data], stream: streamName }).toEqual({
          ...given,
          data: [...given.data]
        })
      })
    )
  })

  test.each([
    ['[]', 'an envelope has no partitionKey'],
    ['x', 'an envelope is not a JSON object'],
    ['{"partitionKey":"k"}', 'an envelope must have exactly one of data and dataBase64'],
    ['{"partitionKey":"k","data":"a","dataBase64":"YQ=="}', 'an envelope must have exactly one of data and dataBase64'],
    ['{"partitionKey":"k","dataBase64":"?"}', 'an envelope has a dataBase64 that is not base64'],
    ['{"partitionKey":"k","data":1}', 'an envelope has data that is no text']
  ])('%s is refused', (line, message) => {
    expect(itemOfEnvelope(Buffer.from(line)).fault?.message).toBe(message)
  })
})

test.each([
  ['abc', 3, '', 'abc'],
  ['abcd', 3, '', 'abc'],
  ['ab\u00e9', 3, '', 'ab'],
  ['a\u{1f600}', 4, '', 'a'],
  ['abcd', 3, '\n', 'ab\n'],
  ['ab\u00e9d', 5, '...', 'ab...']
])('%s cut to %d bytes ends with a whole character', (text, bytes, terminator, cutText) => {
  expect(Buffer.from(truncated(Buffer.from(text), bytes, Buffer.from(terminator))).toString()).toBe(cutText)
})

async function itemsOf(framing: Framing, chunks: readonly Uint8Array[]): Promise<Item[]> {
  const items: Item[] = []
  for await (const batch of framing(source(chunks))) items.push(...batch)
  return items
}

async function textsOf(framing: Framing, chunks: readonly Uint8Array[]): Promise<string[]> {
  const items = await itemsOf(framing, chunks)
  return items.map(({ data, fault }) => fault?.code ?? Buffer.from(data).toString())
}

async function* source(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** Cuts bytes into pieces of these sizes, over and over. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length]!)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // That is the answer.
    return false
  }
}
