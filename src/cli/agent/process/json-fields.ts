/**
 * Texts under their names, as a JSON object.
 * Example: the names `a`, `b` with the texts `1` and null give `{"a":"1","b":null}`.
 * Invariant: numbers stay texts, so none loses digits; the order is that of the names.
 */

/** Returns the function that writes such an object; a text that is missing is null, and one too many is left out. */
export function fieldWriter(names: readonly string[]): (texts: readonly (string | null | undefined)[]) => Buffer {
  const heads = names.map((name, place) => `${place === 0 ? '{' : ','}${JSON.stringify(name)}:`)
  return texts => {
    let json = ''
    for (let i = 0; i < heads.length; i++) json += heads[i]! + JSON.stringify(texts[i] ?? null)
    return Buffer.from(`${json}}`)
  }
}
