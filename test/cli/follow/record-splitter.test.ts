import { mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_FRAMING, type FramingSettings, type MultilineSettings } from '../../../src/cli/follow/flow-settings.ts'
import type { Piece } from '../../../src/cli/follow/piece.ts'
import { RecordSplitter } from '../../../src/cli/follow/record-splitter.ts'

const QUANTUM_BYTES = 262_144
const MULTILINE: MultilineSettings = { start: /^\d/, maxLines: 1_000, maxBytes: 1_000_000, flushAfterMs: 2_000 }

describe('a line', () => {
  test('2: without newline waits an hour, and goes out once with its newline', () => {
    const splitter = new RecordSplitter(DEFAULT_FRAMING, 0)
    splitter.push(Buffer.from('ab'), 0)
    const before = [piecesOf(splitter), splitter.dueAtMs, splitter.pendingBytes]

    splitter.push(Buffer.from('c\n'), 3_600_000)

    expect([before, piecesOf(splitter)]).toEqual([[[], undefined, 2], ['0-4 abc']])
  })

  test('6: in single bytes, with a character that a read cuts, is one record', () => {
    expect(
      split(
        {},
        [...'a\u00e9\u{1f600}\n'].flatMap(letter => bytewise(letter))
      )
    ).toEqual(['0-8 a\u00e9\u{1f600}'])
  })

  test.each([-1, 0, 1])('7: as long as one read and %d more is one record', more => {
    const length = QUANTUM_BYTES + more
    const line = 'x'.repeat(length - 1)
    const file = Buffer.from(`${line}\nb\n`)

    const pieces = split({}, [file.subarray(0, QUANTUM_BYTES), file.subarray(QUANTUM_BYTES)])

    expect(pieces).toEqual([`0-${length} ${line}`, `${length}-${length + 2} b`])
  })

  test('9: may end in CRLF that two reads share, and a carriage return within stays', () => {
    expect(split({}, ['a\r', '\nb\rc\n\r', '\n'])).toEqual(['0-3 a', '3-7 b\rc', '7-9 empty'])
  })

  test.each<[string, Partial<FramingSettings>, string[]]>([
    ['keeps its carriage return', { keepCr: true }, ['0-3 a\r', '3-5 \r', '5-6 empty', '6-7 b']],
    ['keeps its newline', { keepNewline: true }, ['0-3 a\r\n', '3-5 empty', '5-6 empty', '6-7 b']],
    ['is sent also when it is empty', { emptyLines: 'send' }, ['0-3 a', '3-5 ', '5-6 ', '6-7 b']]
  ])('%s if that is wanted', (_, settings, pieces) => {
    expect(split(settings, ['a\r\n\r\n\nb'], 'done')).toEqual(pieces)
  })

  test('that the end of the file cut is continued by a record that says so', () => {
    const splitter = new RecordSplitter(DEFAULT_FRAMING, 0)
    splitter.push(Buffer.from('ab'), 0)
    splitter.finish()
    const first = piecesOf(splitter)

    splitter.push(Buffer.from('cd\ne\n'), 1)

    expect([first, piecesOf(splitter)]).toEqual([['0-2 ab'], ['2-5 cd (rest of line)', '5-7 e']])
  })

  test('that only lacked its newline at the end of the file leaves no empty record', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, emptyLines: 'send' }, 0)
    splitter.push(Buffer.from('ab'), 0)
    splitter.finish()
    const first = piecesOf(splitter)

    splitter.push(Buffer.from('\n\n'), 1)

    expect([first, piecesOf(splitter)]).toEqual([['0-2 ab'], ['2-3 empty (rest of line)', '3-4 ']])
  })

  test('without newline goes out after partialAfter, if nothing came since', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, partialAfterMs: 100 }, 0)
    splitter.push(Buffer.from('a\nb'), 0)
    const first = piecesOf(splitter)
    splitter.push(Buffer.from('c'), 50)
    const second = [...piecesOf(splitter), splitter.dueAtMs]
    splitter.expire(149)
    const early = piecesOf(splitter)

    splitter.expire(150)

    expect([first, second, early, piecesOf(splitter)]).toEqual([['0-2 a'], [150], [], ['2-4 bc']])
  })
})

describe('8: a line that is too large', () => {
  const settings = { maxRecordBytes: 4, maxLineBytes: 6 }
  const lines = ['aaaa\n', 'bbbbb\n', 'ccccccc\n', 'd\n']

  test.each<['fail' | 'skip' | 'truncate', string]>([
    ['fail', '5-11 too-large bbbbb'],
    ['skip', '5-11 too-large'],
    ['truncate', '5-11 bb.. (truncated)']
  ])('is one piece with the policy %s, and the next is not touched', (maxRecord, piece) => {
    const whole = split({ ...settings, maxRecord, truncatedTerminator: '..' }, lines)
    const inBytes = split({ ...settings, maxRecord, truncatedTerminator: '..' }, bytewise(lines.join('')))

    const expected = ['0-5 aaaa', piece, '11-19 too-long', '19-21 d']
    expect([whole, inBytes]).toEqual([expected, expected])
  })

  test('is held in memory no longer than it may become a record', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, maxLineBytes: 1_000 }, 0)
    const block = Buffer.alloc(QUANTUM_BYTES, 'x')

    for (let i = 0; i < 4_000; i++) {
      splitter.push(block, 0)
      splitter.next()
    }

    expect(splitter.pendingBytes).toBe(4_000 * QUANTUM_BYTES)
    splitter.push(Buffer.from('\na\n'), 0)
    const end = 4_000 * QUANTUM_BYTES + 1
    expect(piecesOf(splitter)).toEqual([`0-${end} too-long`, `${end}-${end + 2} a`])
  })

  test('is not sent in part at the end of the file either', () => {
    expect(split(settings, ['abcdefgh'], 'done')).toEqual(['0-8 too-long'])
  })
})

describe('a record of several lines', () => {
  const file = '1 a\n  b\n\n2 c\n  d\n3 e\n'

  test('24: does not depend on where a read ends', () => {
    const expected = ['0-9 1 a\n  b\n', '9-17 2 c\n  d', '17-21 3 e']

    expect([
      split({ multiline: MULTILINE }, [file], 'done'),
      split({ multiline: MULTILINE }, bytewise(file), 'done')
    ]).toEqual([expected, expected])
  })

  test('24: begins anew at a restart, at the end of the last one', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, multiline: MULTILINE }, 9)
    splitter.push(Buffer.from(file.slice(9)), 0)
    splitter.finish()

    expect(piecesOf(splitter)).toEqual(['9-17 2 c\n  d', '17-21 3 e'])
  })

  test('24: ends where the file ends before a rotation, a last line without newline with it', () => {
    expect(split({ multiline: MULTILINE }, ['1 a\n  b'], 'done')).toEqual(['0-7 1 a\n  b'])
  })

  test('25: may begin with lines that match no start', () => {
    expect(split({ multiline: MULTILINE }, ['\n x\n y\n1 a\n'], 'done')).toEqual([
      '0-1 empty',
      '1-7  x\n y',
      '7-11 1 a'
    ])
  })

  test('26: that is the last goes out flushAfter after its last byte, and lines behind that are a record', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, multiline: MULTILINE }, 0)
    splitter.push(Buffer.from('1 a\n'), 0)
    piecesOf(splitter)
    splitter.push(Buffer.from(' b\n'), 1_000)
    const due = [...piecesOf(splitter), splitter.dueAtMs]
    splitter.expire(2_999)
    const early = piecesOf(splitter)
    splitter.expire(3_000)
    const onTime = piecesOf(splitter)

    splitter.push(Buffer.from(' c\n2 d\n'), 3_001)

    expect([due, early, onTime, piecesOf(splitter)]).toEqual([[3_000], [], ['0-7 1 a\n b'], ['7-10  c']])
  })

  test('26: is ended at once by a start line that comes 1 ms before it is due', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, multiline: MULTILINE }, 0)
    splitter.push(Buffer.from('1 a\n'), 0)
    piecesOf(splitter)

    splitter.push(Buffer.from('2 b\n'), 1_999)
    const pieces = piecesOf(splitter)
    splitter.expire(2_000)

    expect([pieces, piecesOf(splitter), splitter.dueAtMs]).toEqual([['0-4 1 a'], [], 3_999])
  })

  test('keeps its unfinished line back when its whole lines go out', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, multiline: MULTILINE }, 0)
    splitter.push(Buffer.from('1 a\n b\n2'), 0)
    piecesOf(splitter)

    splitter.expire(2_000)

    expect([piecesOf(splitter), splitter.pendingBytes]).toEqual([['0-7 1 a\n b'], 1])
  })

  test.each<[string, Partial<MultilineSettings>, string[]]>([
    ['maxLines', { maxLines: 2 }, ['0-4 1\na', '4-8 b\nc', '8-10 d']],
    ['maxBytes', { maxBytes: 5 }, ['0-6 1\na\nb', '6-10 c\nd']]
  ])('ends at %s, and the next line begins the next', (_, limits, pieces) => {
    expect(split({ multiline: { ...MULTILINE, ...limits } }, ['1\na\nb\nc\nd\n'], 'done')).toEqual(pieces)
  })

  test('ends before a line that is too long, a footer and a hole', () => {
    const settings = { multiline: MULTILINE, maxLineBytes: 5, footer: /^-- end/ }

    expect(split({ ...settings, maxLineBytes: 6 }, ['1\nxxxxxxx\n2\n\0\0a\n-- end\nb\n'], 'done')).toEqual([
      '0-2 1',
      '2-10 too-long',
      '10-12 2',
      '12-14 hole',
      '14-16 a',
      '16-23 footer',
      '23-25 footer'
    ])
  })
})

describe('59: a hole', () => {
  test('of zero bytes at the start of a line is passed over, those within a line are data', () => {
    expect(split({}, ['a\n\0', '\0\0', 'b\0c\n'])).toEqual(['0-2 a', '2-5 hole', '5-9 b\0c'])
  })

  test('at the start of the file has no header behind it', () => {
    expect(split({ skipHeader: 1 }, ['\0\0a\nb\n'])).toEqual(['0-2 hole', '2-4 a', '4-6 b'])
  })

  test('of 1 GiB in a sparse file costs less than a second of CPU besides the reading', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hole-'))
    const file = openSync(join(folder, 'sparse.log'), 'w+')
    const gibibyte = 1_073_741_824
    writeSync(file, 'a\n', 0)
    writeSync(file, 'b\n', gibibyte)
    const splitter = new RecordSplitter(DEFAULT_FRAMING, 0)
    const buffer = Buffer.alloc(QUANTUM_BYTES)
    const pieces: string[] = []
    let micros = 0

    for (let offset = 0; ; ) {
      const count = readSync(file, buffer, 0, buffer.length, offset)
      if (count === 0) break
      offset += count
      const before = process.cpuUsage()
      splitter.push(buffer.subarray(0, count), 0)
      pieces.push(...piecesOf(splitter))
      const { user, system } = process.cpuUsage(before)
      micros += user + system
    }

    rmSync(folder, { recursive: true })
    expect(pieces).toEqual(['0-2 a', `2-${gibibyte} hole`, `${gibibyte}-${gibibyte + 2} b`])
    expect(micros).toBeLessThan(1_000_000)
  })
})

describe('60: the first bytes', () => {
  test.each<[string, number[][], string[]]>([
    ['a mark of UTF-8 is passed over', [[0xef], [0xbb], [0xbf, 0x61, 0x0a]], ['0-3 bom', '3-5 a']],
    ['a mark only, in the whole file', [[0xef, 0xbb, 0xbf]], ['0-3 bom']],
    [
      'half a mark is data',
      [
        [0xef, 0xbb],
        [0x61, 0x0a]
      ],
      ['0-4 \ufffda']
    ],
    ['half a mark, in the whole file', [[0xef]], ['0-1 \ufffd']],
    ['UTF-16, little end first', [[0xff], [0xfe, 0x61, 0x00]], ['0-4 utf-16']],
    ['UTF-16, big end first', [[0xfe, 0xff]], ['0-2 utf-16']],
    [
      'UTF-16 is read no further',
      [
        [0xfe, 0xff],
        [0x0a, 0x0a]
      ],
      ['0-2 utf-16']
    ]
  ])('%s', (_, reads, pieces) => {
    expect(
      split(
        {},
        reads.map(bytes => Buffer.from(bytes)),
        'done'
      )
    ).toEqual(pieces)
  })

  test('are like all others where the encoding is bytes, or behind the start of the file', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x0a])
    const splitter = new RecordSplitter(DEFAULT_FRAMING, 7)
    splitter.push(bytes, 0)

    expect([split({ encoding: 'bytes' }, [bytes]), piecesOf(splitter)]).toEqual([
      ['0-3 \ufffd\ufffd'],
      ['7-10 \ufffd\ufffd']
    ])
  })

  test('and all others that are not UTF-8 go out as they are', () => {
    const line = Buffer.from([0x80, 0xc3, 0x28, 0xff])
    const splitter = new RecordSplitter(DEFAULT_FRAMING, 0)
    splitter.push(Buffer.concat([line, Buffer.from('\n')]), 0)

    expect([...(splitter.next()?.data ?? [])]).toEqual([...line])
  })
})

describe('61: a header', () => {
  test('is one piece at its last newline, with the mark before it', () => {
    expect(split({ skipHeader: 2 }, ['\ufeffh1\nh', '2\na\n'])).toEqual(['0-9 header', '9-11 a'])
  })

  test('is not looked for behind the start of the file', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, skipHeader: 2 }, 9)
    splitter.push(Buffer.from('a\nb\n'), 0)

    expect(piecesOf(splitter)).toEqual(['9-11 a', '11-13 b'])
  })

  test('that the file ends in is settled', () => {
    expect(split({ skipHeader: 2 }, ['h1\nh'], 'done')).toEqual(['0-4 header'])
  })
})

describe('a footer', () => {
  test('ends the file: what follows is settled and not sent', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, footer: /^EOF$/ }, 0)
    splitter.push(Buffer.from('a\nEOF\r\nb\n'), 0)
    const first = [...piecesOf(splitter), splitter.isEnded]

    splitter.push(Buffer.from('c\n'), 0)

    expect([first, piecesOf(splitter)]).toEqual([['0-2 a', '2-7 footer', '7-9 footer', true], ['9-11 footer']])
  })

  test('that was found before a restart still ends the file', () => {
    const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, footer: /^EOF$/ }, 7, { isEnded: true })
    splitter.push(Buffer.from('b\n'), 0)

    expect(piecesOf(splitter)).toEqual(['7-9 footer'])
  })
})

describe('the pieces of any file', () => {
  const part = fc.constantFrom(
    'a',
    '1',
    'bcd',
    '\n',
    '\r\n',
    '\r',
    '\0',
    '\u00e9',
    'EOF\n',
    'xxxxxxxxxxxx',
    '\ufeff',
    '\n\n'
  )
  const files = fc.array(part, { maxLength: 30 }).map(parts => Buffer.from(parts.join('')))
  const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 })
  const settings: fc.Arbitrary<Partial<FramingSettings>> = fc.record({
    skipHeader: fc.nat(2),
    footer: fc.constantFrom(undefined, /^EOF$/),
    keepNewline: fc.boolean(),
    keepCr: fc.boolean(),
    emptyLines: fc.constantFrom('skip', 'send'),
    maxLineBytes: fc.constantFrom(3, 8, 1_000),
    maxRecordBytes: fc.constantFrom(4, 1_000),
    maxRecord: fc.constantFrom('fail', 'skip', 'truncate'),
    multiline: fc.constantFrom(undefined, MULTILINE, { ...MULTILINE, maxLines: 2 }, { ...MULTILINE, maxBytes: 6 })
  })

  test('cover every byte once, and are the same wherever the reads end', () => {
    fc.assert(
      fc.property(files, cuts, settings, (file, lengths, given) => {
        const whole = joined(piecesOfReads(given, [file]))
        const inReads = joined(piecesOfReads(given, readsOf(file, lengths)))

        expect(inReads).toEqual(whole)
        expect(bounds(whole)).toEqual({ isJoined: true, end: file.length })
      }),
      { numRuns: 2_000 }
    )
  })

  test('are the same from the end of any of them on', () => {
    fc.assert(
      fc.property(files, fc.nat(), settings, (file, chosen, given) => {
        const whole = piecesOfReads(given, [file])
        const index = whole.length === 0 ? 0 : chosen % whole.length
        const offset = whole[index]?.endOffset ?? 0
        const isEnded = whole.slice(0, index + 1).some(({ reason }) => reason === 'footer')
        const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, ...given }, offset, { isEnded })
        splitter.push(file.subarray(offset), 0)
        splitter.finish()

        const rest = takeAll(splitter, copied)

        if (offset > 0) expect(joined(rest)).toEqual(joined(whole.slice(index + 1)))
      }),
      { numRuns: 2_000 }
    )
  })
})

function split(
  settings: Partial<FramingSettings>,
  reads: readonly (string | Buffer)[],
  end: 'done' | 'open' = 'open'
): string[] {
  const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, ...settings }, 0)
  const pieces: string[] = []
  for (const read of reads) {
    splitter.push(Buffer.from(read), 0)
    pieces.push(...piecesOf(splitter))
  }
  if (end === 'done') splitter.finish()
  return [...pieces, ...piecesOf(splitter)]
}

function piecesOf(splitter: RecordSplitter): string[] {
  return takeAll(splitter, told)
}

function told({ kind, reason, data, startOffset, endOffset, isRestOfLine, isTruncated }: Piece): string {
  const text = Buffer.from(data).toString()
  const what =
    kind === 'record' ? text : kind === 'skipped' ? reason : kind === 'too-large' ? `too-large ${text}` : kind
  return `${startOffset}-${endOffset} ${what}${isRestOfLine ? ' (rest of line)' : ''}${isTruncated ? ' (truncated)' : ''}`
}

function takeAll<T>(splitter: RecordSplitter, read: (piece: Piece) => T): T[] {
  const pieces: T[] = []
  for (let piece = splitter.next(); piece !== undefined; piece = splitter.next()) pieces.push(read(piece))
  return pieces
}

function copied(piece: Piece): Piece {
  return { ...piece, data: Buffer.from(piece.data) }
}

function piecesOfReads(settings: Partial<FramingSettings>, reads: readonly Buffer[]): Piece[] {
  const splitter = new RecordSplitter({ ...DEFAULT_FRAMING, ...settings }, 0)
  const pieces: Piece[] = []
  for (const read of reads) {
    splitter.push(read, 0)
    // Data that is kept must not change with the reads that follow.
    pieces.push(...takeAll(splitter, piece => ({ ...piece })))
  }
  splitter.finish()
  return [...pieces, ...takeAll(splitter, copied)].map(copied)
}

/** What follows a footer comes as it is read: one piece here. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = []
  for (const piece of pieces) {
    const last = result.at(-1)
    const isSame = last?.reason === 'footer' && piece.reason === 'footer'
    if (isSame) result[result.length - 1] = { ...last, endOffset: piece.endOffset }
    else result.push(piece)
  }
  return result
}

function bounds(pieces: readonly Piece[]): { readonly isJoined: boolean; readonly end: number } {
  let end = 0
  let isJoined = true
  for (const piece of pieces) {
    isJoined &&= piece.startOffset === end && piece.endOffset > end
    end = piece.endOffset
  }
  return { isJoined, end }
}

function readsOf(file: Buffer, lengths: readonly number[]): Buffer[] {
  const reads: Buffer[] = []
  for (let at = 0, i = 0; at < file.length; i++) {
    const length = lengths[i % lengths.length] ?? 1
    reads.push(Buffer.from(file.subarray(at, at + length)))
    at += length
  }
  return reads
}

function bytewise(text: string): Buffer[] {
  return [...Buffer.from(text)].map(byte => Buffer.of(byte))
}
