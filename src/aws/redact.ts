/**
 * Removes secrets from a service's text: the endpoint may repeat the request.
 * Invariant: no partition key of the request, and nothing that could be a token, a secret or encoded data, comes through.
 */

/** Shorter keys are ordinary words; without them no message could be read. */
const MIN_KEY_CHARACTERS = 3
/** Letters and digits in one run that no stream, shard, role or sentence has: secrets have 40, tokens and bodies more. */
const OPAQUE_RUN = /[A-Za-z0-9+/=]{32,}/g

/** Returns `text` without the keys and without opaque runs. Linear in the text for each key. */
export function redacted(text: string, partitionKeys: Iterable<string>): string {
  let safe = text
  for (const key of partitionKeys) {
    if (key.length >= MIN_KEY_CHARACTERS && safe.includes(key)) safe = safe.replaceAll(key, '[key]')
  }
  return safe.replace(OPAQUE_RUN, '[redacted]')
}
