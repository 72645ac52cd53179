/**
 * kinesis-local: an emulator in Scala.js, from etspaceman/kinesis-mock.
 * Invariant: as `startChild`; it answers health checks with 200 once it serves.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort, type Referee, startChild } from './child-server.ts'

export async function startKinesisLocal(): Promise<Referee> {
  const folder = dirname(createRequire(import.meta.url).resolve('kinesis-local/package.json'))
  const [port, tlsPort] = await Promise.all([freePort(), freePort()])
  const environment = {
    KINESIS_MOCK_CERT_PATH: join(folder, 'server.json'),
    KINESIS_MOCK_PLAIN_PORT: String(port),
    KINESIS_MOCK_TLS_PORT: String(tlsPort),
    LOG_LEVEL: 'ERROR'
  }
  return startChild({ main: join(folder, 'main.js'), environment, port, healthPath: '/healthcheck' })
}
