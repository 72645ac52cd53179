/**
 * `npm run bench [-- NAME | record | plot | compare NAME [BASE] | profile FILE]`: runs every bench, or the one that is named;
 * writes the figures of docs/performance.md; compares with a base; prints the top of a CPU profile.
 * Invariant: every bench has a process of its own; the exit code is not 0 when one of them did not verify.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BENCHES } from './benches.ts'
import { compare } from './compare.ts'
import { resultFile, writePage } from './harness/save.ts'
import { profileText } from './profile.ts'
import { PUBLISHED, publish } from './publish.ts'

const USAGE = `npm run bench                          all benches
npm run bench -- NAME                  one of: ${Object.keys(BENCHES).join(', ')}
npm run bench -- record                runs ${PUBLISHED.join(', ')}, then as 'plot'
npm run bench -- plot                  docs/performance.md and its plot from the results of the last runs
npm run bench -- compare NAME [BASE]   against a commit, or a build folder; BASE is HEAD when it is left out
npm run bench -- profile FILE          the top of a .cpuprofile
BENCH_QUICK=1 makes short runs, BENCH_ROUNDS=n sets the samples, BENCH_MINUTES=n the length of 'steady', BENCH_PROFILE=folder
writes CPU profiles.`

const [command, subject, base] = process.argv.slice(2)
if (command === undefined) runAll(Object.keys(BENCHES))
else if (Object.hasOwn(BENCHES, command)) runAll([command])
else if (command === 'record') {
  runAll(PUBLISHED)
  if (process.exitCode === undefined) console.log(`written: ${publish().join(', ')}`)
} else if (command === 'plot') console.log(`written: ${publish().join(', ')}`)
else if (command === 'profile' && subject !== undefined) console.log(profileText(subject))
else if (command === 'compare' && subject !== undefined && Object.hasOwn(BENCHES, subject)) {
  console.log(compare(subject, base ?? 'HEAD'))
} else {
  console.error(USAGE)
  process.exitCode = 2
}

function runAll(names: readonly string[]): void {
  const script = fileURLToPath(new URL('./run-one.js', import.meta.url))
  for (const name of names) {
    const { status, signal } = spawnSync(
      process.execPath,
      ['--expose-gc', '--no-warnings', script, name, resultFile(name)],
      {
        stdio: 'inherit'
      }
    )
    if (status === 0) continue
    console.error(`${name} ended with ${signal ?? status}`)
    process.exitCode = 1
  }
  console.log(`results and plots: ${writePage(Object.keys(BENCHES))}`)
}
