/**
 * `node build/bench/soak/main.js`: reads the command line, runs the soak, prints the report.
 * Invariant: exits with 0 only if nothing was lost and every duplicate is explained; 2 for a command line that cannot be
 * run.
 */
import { parseArguments, USAGE } from './arguments.ts'
import { isSound, report } from './report.ts'
import { runSoak } from './soak.ts'

const args = parseArguments(process.argv.slice(2))
if ('help' in args) console.log(USAGE)
else if ('fault' in args) {
  console.error(`${args.fault}\n\n${USAGE}`)
  process.exitCode = 2
} else {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  console.log(`${args.minutes} minutes at ${args.recordsPerSecond} records/s, seed ${args.seed}`)
  try {
    const result = await runSoak(args, line => console.log(line), stop.signal)
    console.log(`\n${report(result)}\n`)
    console.log(isSound(result) ? 'SOUND.' : 'NOT SOUND: see the rows in capitals.')
    process.exitCode = isSound(result) ? 0 : 1
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
}
