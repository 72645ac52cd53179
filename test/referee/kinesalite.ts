/**
 * kinesalite: an older emulator in JavaScript. It ignores ListShards' filter, knows neither ARNs nor records over 1 MiB, and
 * lists no shards of a stream that is being created.
 * Invariant: as `startChild`; all it stores is in memory, so that its optional native module is not needed.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort, type Referee, startChild } from './child-server.ts'

const CREATING_MS = '1000'
const STATUS_MS = '50'

export async function startKinesalite(): Promise<Referee> {
  const folder = dirname(createRequire(import.meta.url).resolve('kinesalite/package.json'))
  const port = await freePort()
  const times = ['--createStreamMs', CREATING_MS, '--updateStreamMs', STATUS_MS, '--deleteStreamMs', STATUS_MS]
  return startChild({
    main: join(folder, 'cli.js'),
    arguments: ['--port', String(port), ...times],
    port,
    healthPath: '/'
  })
}
