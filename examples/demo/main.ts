/**
 * `npm run demo`: reads the command line, runs the demo, prints the table.
 * Invariant: exits with 0 only if nothing was lost; 2 for a command line that cannot be run.
 */
import { parseArguments, USAGE } from './arguments.ts'
import { runDemo } from './demo.ts'

const args = parseArguments(process.argv.slice(2))
if ('help' in args) console.log(USAGE)
else if ('fault' in args) {
  console.error(`${args.fault}\n\n${USAGE}`)
  process.exitCode = 2
} else {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  try {
    const result = await runDemo(args, process.stdout, stop.signal)
    console.log(`\n${result.text}\n`)
    console.log(result.isSound ? 'Nothing was lost.' : 'NOT SOUND: see the last rows.')
    process.exitCode = result.isSound ? 0 : 1
  } catch (error) {
    console.error(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    process.exitCode = 1
  }
}
