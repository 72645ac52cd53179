/** `npm run referee`: this library beside programs that are not ours, on machines that have their toolchains. */
import { runCommand } from './command.ts'
import { REFEREES } from './roster.ts'
import { record } from './save.ts'

process.exitCode = await runCommand(process.argv.slice(2), { referees: REFEREES, print: console.log, record })
