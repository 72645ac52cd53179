/**
 * User records in groups, as files between our programs and those of other languages.
 * Invariant: `parseGroups(formatGroups(groups))` is the groups.
 *
 *   file := { count NEWLINE { user record NEWLINE } }     see user-record.ts; `count` user records in each group
 */
import { formatUserRecord, parseUserRecord, type UserRecord } from './user-record.ts'

export function formatGroups(groups: readonly (readonly UserRecord[])[]): string {
  return groups.map(group => [String(group.length), ...group.map(formatUserRecord), ''].join('\n')).join('')
}

/** Throws for a file that ends within a group. */
export function parseGroups(text: string): UserRecord[][] {
  const lines = text.split('\n')
  const groups: UserRecord[][] = []
  for (let at = 0; at < lines.length && lines[at] !== ''; ) {
    const end = at + 1 + Number(lines[at])
    if (!(end < lines.length)) throw new Error(`the file ends within group ${groups.length}`)
    groups.push(lines.slice(at + 1, end).map(parseUserRecord))
    at = end
  }
  return groups
}
