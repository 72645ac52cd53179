/**
 * Text that may be JSON, as its value.
 * Invariant: text that is not JSON gives undefined, which no JSON is; nothing else is swallowed.
 */

export function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Returns the fields of an object or a list; undefined for any other value. */
export function jsonFields(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = jsonValue(text)
  return value instanceof Object ? { ...value } : undefined
}
