/**
 * An async source that can be closed while it is silent. A loop over it closes it only after it has given something, which a
 * consumer of messages or of events may never do again.
 * Invariant: the source is closed at most once, by the loop or by the function that `onOpen` gets.
 */

/** Returns `source` as it is, and gives `onOpen` the function that closes it; that one rejects with what the source throws. */
export function closable<Item>(
  source: AsyncIterable<Item>,
  onOpen: (close: () => Promise<void>) => void
): AsyncIterable<Item> {
  const open = (): AsyncIterator<Item, undefined> => {
    const iterator = source[Symbol.asyncIterator]()
    let isClosed = false
    const close = async (): Promise<void> => {
      if (isClosed) return
      isClosed = true
      await iterator.return?.()
    }
    onOpen(close)
    return { next: () => iterator.next(), return: () => close().then(() => ({ done: true, value: undefined })) }
  }
  return { [Symbol.asyncIterator]: open }
}
