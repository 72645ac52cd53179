/**
 * A regular expression that somebody wrote into a flag or a config file.
 * Example: `(?i)^error` is /^error/i.
 * Invariant: JavaScript's own expressions, without the flags u and v; flags stand at the beginning or nowhere.
 */

/** Returns the compiled expression. Throws SyntaxError. */
export function expressionOf(source: string): RegExp {
  const [whole = '', flags = ''] = /^\(\?([ims]+)\)/.exec(source) ?? []
  return new RegExp(source.slice(whole.length), [...new Set(flags)].join(''))
}

/** Returns how many groups of an expression keep what they match. */
export function groupCountOf(expression: RegExp): number {
  return (new RegExp(`${expression.source}|`, expression.flags).exec('')?.length ?? 1) - 1
}
