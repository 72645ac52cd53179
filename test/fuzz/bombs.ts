/**
 * Bodies of any size that make a careless reader slow or large: many members, many keys, deep groups, far indexes.
 * Invariant: `bodyOf(bytes)` is valid and at most `bytes` long, and all its members' data are empty.
 */

export interface Bomb {
  readonly name: string
  readonly bodyOf: (bytes: number) => Uint8Array
}

const KEY = '0a0161'
const MEMBER = '1a0408001a00'

/** What they hold is members and fields that nobody asks for: nothing of it may stay in memory. */
export const MEMBER_BOMBS: readonly Bomb[] = [
  { name: 'members as the KPL lays them out', bodyOf: bytes => repeated(bytes, KEY, MEMBER) },
  { name: 'members with the fields the other way round', bodyOf: bytes => repeated(bytes, KEY, '1a041a000800') },
  { name: 'members with superfluous bytes', bodyOf: bytes => repeated(bytes, KEY, '1a8700088080001a8000') },
  { name: 'members with an explicit hash key', bodyOf: bytes => repeated(bytes, `${KEY}120137`, '1a06080010001a00') },
  {
    name: 'members with a field a hundred times',
    bodyOf: bytes => repeated(bytes, KEY, `1aca01${'0800'.repeat(100)}1a00`)
  },
  { name: 'members with tags', bodyOf: bytes => repeated(bytes, KEY, '1a0e08001a0022030a017422030a0174') },
  { name: 'unknown numbers', bodyOf: bytes => repeated(bytes, KEY + MEMBER, '2800') },
  { name: 'unknown numbers of ten bytes', bodyOf: bytes => repeated(bytes, KEY + MEMBER, `28${'80'.repeat(9)}00`) },
  {
    name: 'groups nested as deep as may be',
    bodyOf: bytes => repeated(bytes, KEY + MEMBER, '2b'.repeat(100) + '2c'.repeat(100))
  }
]

/** Key bombs are tried at this part of the size: they take ten times as long, most of it for garbage. */
export const KEY_BOMB_PART = 4

/** What they hold is keys, which are kept once they were asked for, and their places before. */
export const KEY_BOMBS: readonly Bomb[] = [
  { name: 'empty keys and one member', bodyOf: bytes => repeated(bytes, MEMBER, '0a00') },
  { name: 'a key for each member, the last one first', bodyOf: bytes => withKeys(bytes, 'k', true) },
  { name: 'a key for each member, none of them ASCII', bodyOf: bytes => withKeys(bytes, '\u00e9', false) },
  { name: 'an empty key for each member, the last one first', bodyOf: bytes => withKeys(bytes, '', true) },
  {
    name: 'one key of almost all bytes, not ASCII',
    bodyOf: bytes => withLongKey(0x0a, Buffer.alloc(bytes - 64, '\u00e9'), MEMBER)
  },
  {
    name: 'one explicit hash key of almost all bytes',
    bodyOf: bytes => withLongKey(0x12, Buffer.alloc(bytes - 64, '9'), `${KEY}1a06080010001a00`)
  }
]

/** `start`, then `part` as often as it fits. */
function repeated(bytes: number, start: string, part: string): Uint8Array {
  const head = Buffer.from(start, 'hex')
  const unit = Buffer.from(part, 'hex')
  const count = Math.floor((bytes - head.length) / unit.length)
  const body = Buffer.alloc(head.length + count * unit.length)
  head.copy(body)
  return body.fill(unit, head.length)
}

/** A table with an entry for each member, asked for from its start or from its end. */
function withKeys(bytes: number, key: string, isBackward: boolean): Uint8Array {
  const entry = Buffer.concat([Buffer.of(0x0a, Buffer.byteLength(key)), Buffer.from(key)])
  const member = Buffer.from('1a06088080001a00', 'hex')
  const count = Math.floor(bytes / (entry.length + member.length))
  const tableBytes = count * entry.length
  const body = Buffer.alloc(tableBytes + count * member.length)
  body.fill(entry, 0, tableBytes).fill(member, tableBytes)
  for (let i = 0; i < count; i++) {
    const index = isBackward ? count - 1 - i : i
    const at = tableBytes + i * member.length + 3
    body[at] = (index & 0x7f) | 0x80
    body[at + 1] = ((index >> 7) & 0x7f) | 0x80
    body[at + 2] = index >> 14
  }
  return body
}

function withLongKey(tag: number, key: Buffer, rest: string): Uint8Array {
  const length: number[] = []
  let left = key.length
  for (; left > 127; left >>= 7) length.push((left & 127) | 128)
  return Buffer.concat([Buffer.of(tag, ...length, left), key, Buffer.from(rest, 'hex')])
}
