/**
 * Shard iterators and paging tokens: opaque text that carries its own state, so the fake keeps none for them.
 * Invariant: a token of one kind is never taken for another; text we did not make decodes to undefined.
 *
 *   token := base64url( kind '|' part ( '|' part )* )        no part contains '|'
 */

export type TokenKind = 'iterator' | 'shards'

/** Returns the token for `parts`, none of which may contain `|`. */
export function encodeToken(kind: TokenKind, parts: readonly (string | number)[]): string {
  return Buffer.from([kind, ...parts].join('|')).toString('base64url')
}

/** Returns the parts as text, or undefined when `token` is not one of this kind with `partCount` parts. */
export function decodeToken(kind: TokenKind, partCount: number, token: string): readonly string[] | undefined {
  const [head, ...parts] = Buffer.from(token, 'base64url').toString().split('|')
  return head === kind && parts.length === partCount ? parts : undefined
}
