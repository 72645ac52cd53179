/**
 * The other end of `Child`: loads the module that is named on the command line and calls its functions as asked.
 * Invariant: one answer for each call, in the order in which the calls end; the process ends with its channel.
 */
interface Call {
  readonly id: number
  readonly name: string
  readonly args: readonly unknown[]
}

const loaded: Promise<Readonly<Record<string, unknown>>> = import(process.argv[2]!)

process.on('message', async ({ id, name, args }: Call) => {
  try {
    const module = await loaded
    process.send?.({ id, result: await Reflect.apply(module[name] as () => unknown, undefined, args) })
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
})
// Not a signal: a profile is written at an orderly end only.
process.on('disconnect', () => process.exit(0))
