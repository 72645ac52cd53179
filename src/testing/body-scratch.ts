/**
 * Joins the chunks of a request body in one buffer that is used again for the next body.
 * Invariant: a joined body is valid only until the next `join`; its readers keep copies, never views.
 * Hot: fresh pages for every 6.7 MB body cost more time than parsing it.
 */

const INITIAL_BYTES = 65_536

export class BodyScratch {
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)

  /** Returns the `totalBytes` bytes of `chunks` in order. Grows to the largest body so far, which the server bounds. */
  join(chunks: readonly Buffer[], totalBytes: number): Buffer {
    if (totalBytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(totalBytes)
    let offset = 0
    for (const chunk of chunks) offset += chunk.copy(this.#buffer, offset)
    return this.#buffer.subarray(0, totalBytes)
  }
}
