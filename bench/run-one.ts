/**
 * Runs one bench in this process: `node --expose-gc run-one.js NAME RESULT-FILE`.
 * Invariant: prints its tables and writes its result; or says why it cannot run here, or ends with an error, and leaves the
 * result as it was.
 */
import { BENCHES } from './benches.ts'
import { circumstances, saveResult } from './harness/save.ts'
import { reportText } from './harness/table.ts'

const [name, file] = process.argv.slice(2)
const load = name === undefined || !Object.hasOwn(BENCHES, name) ? undefined : BENCHES[name]
if (name === undefined || file === undefined || load === undefined) {
  throw new Error(`usage: run-one NAME RESULT-FILE, with one of: ${Object.keys(BENCHES).join(', ')}`)
}
const startMs = performance.now()
const report = await (await load()).run()
if ('skipped' in report) {
  console.log(`${name}: not run. ${report.skipped}.\n`)
} else {
  const facts = circumstances((performance.now() - startMs) / 1000)
  console.log(reportText(report))
  console.log(`${name}: ${facts.seconds} s, load ${facts.load.toFixed(1)} on ${facts.cores} cores\n`)
  saveResult(file, { name, ...report, circumstances: facts })
}
