/** The table of identity: the same file, a rewritten one, a moved one, or a new one. */
import { expect, test } from 'vitest'
import {
  adoptedOf,
  anchorOf,
  type FoundFile,
  type Generation,
  prefixOf,
  verdictOf
} from '../../../src/cli/follow/identity.ts'

const LINES = Buffer.from(Array.from({ length: 400 }, (_, n) => `line ${n}\n`).join(''))

function file(bytes: Buffer, with_: Partial<FoundFile> = {}): FoundFile {
  const read = (position: number, length: number) => bytes.subarray(position, position + length)
  return { path: '/a.log', device: '1', inode: '7', size: bytes.length, mtimeMs: 0, read, ...with_ }
}

function generation(bytes: Buffer, acked: number, with_: Partial<Generation> = {}): Generation {
  const seen = file(bytes)
  const marks = { prefix: prefixOf(seen), anchor: anchorOf(seen, acked) }
  return { id: 'g', flow: 'f', path: '/a.log', device: '1', inode: '7', acked, ...marks, ...with_ }
}

const edited = Buffer.from(LINES)
edited[1990] = 33

test.each([
  ['same inode, grown', file(Buffer.concat([LINES, LINES])), 'same'],
  ['20: refilled to the old size behind an equal head', file(edited), 'rewritten'],
  ['39: inode reused, different head', file(Buffer.alloc(9000, 97)), 'rewritten'],
  ['23: truncated to a smaller size', file(LINES.subarray(0, 1500)), 'rewritten'],
  ['40: other inode, same content', file(LINES, { inode: '8' }), 'moved'],
  ['38: other device number after a reboot', file(LINES, { device: '2' }), 'moved'],
  ['4: another file with an equal head', file(edited, { inode: '8' }), 'new']
] as const)('%s', (_name, found, verdict) => {
  const known = generation(LINES, 2000)

  const given = verdictOf(known, found)

  expect(given).toBe(verdict)
})

test.each([1, 1023, 1024, 1025])('3: a file of %i bytes is known again when it has grown', size => {
  const known = generation(LINES.subarray(0, size), size)

  const verdicts = [verdictOf(known, file(LINES)), verdictOf(known, file(Buffer.alloc(9000, 97)))]

  expect(verdicts).toEqual(['same', 'rewritten'])
})

test('69: without inodes, the content alone decides', () => {
  const known = generation(LINES, 2000, { inode: '0' })

  const verdicts = [verdictOf(known, file(LINES, { inode: '0' })), verdictOf(known, file(edited, { inode: '0' }))]

  expect(verdicts).toEqual(['moved', 'new'])
})

test('a moved file is taken when 1,024 bytes prove it, or when a truncation was just seen', () => {
  const moved = file(LINES, { inode: '8', path: '/a.log.1' })

  const taken = [
    adoptedOf(generation(LINES, 2000), [moved], false),
    adoptedOf(generation(LINES, 500), [moved], false),
    adoptedOf(generation(LINES, 500), [moved], true)
  ]

  expect(taken).toEqual([moved, undefined, moved])
})

test('of several candidates the own inode wins, then the own path, then the largest', () => {
  const own = file(LINES, { path: '/b' })
  const samePath = file(LINES, { inode: '8' })
  const larger = file(Buffer.concat([LINES, LINES]), { inode: '9', path: '/c' })
  const known = generation(LINES, 2000)

  const taken = [
    [larger, samePath, own],
    [larger, samePath],
    [file(LINES, { inode: '6', path: '/d' }), larger]
  ]

  expect(taken.map(files => adoptedOf(known, files, false))).toEqual([own, samePath, larger])
})
