/**
 * Every command: its name, its sentence in --help, and the module that is loaded when it is called.
 * Invariant: nothing of a command is loaded for the help of another; `--help` stays below 100 ms.
 */
import type { CommandEntry } from './command.ts'

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'put', summary: 'stdin or files to a stream', load: () => import('./commands/put.ts') },
  { name: 'agent', summary: 'follows files through rotation and restarts', load: () => import('./agent/command.ts') },
  { name: 'gen', summary: 'records of a template at a rate, or a load test', load: () => import('./commands/gen.ts') },
  { name: 'tail', summary: 'the records of a stream', load: () => import('./commands/tail.ts') },
  { name: 'inspect', summary: 'a Kinesis record taken apart', load: () => import('./commands/inspect.ts') },
  { name: 'shards', summary: 'the shards of a stream, and where keys go', load: () => import('./commands/shards.ts') },
  { name: 'doctor', summary: 'checks, and how to repair what fails', load: () => import('./commands/doctor.ts') },
  { name: 'serve', summary: 'a fake Kinesis on a port', load: () => import('./commands/serve.ts') }
]
