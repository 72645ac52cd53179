/**
 * A sink in its process and the way to it: endpoint, and the certificate for whoever connects.
 * Invariant: after `close` the process and the certificate's file are gone.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../harness/certificate.ts'
import { Child } from '../harness/child.ts'

export interface Place {
  readonly endpoint: string
  /** For processes that connect: Node.js reads authorities from a file, once. */
  readonly env: Readonly<Record<string, string>>
}

export interface SinkPlace extends Place {
  readonly sink: Child<typeof import('./sink.ts')>
  close(): Promise<void>
}

export async function openSink(shards: number): Promise<SinkPlace> {
  const sink = new Child<typeof import('./sink.ts')>(new URL('./sink.js', import.meta.url))
  const place = await openPlace(certificate => sink.call('open', shards, certificate))
  const close = async () => {
    await sink.stop()
    place.remove()
  }
  return { ...place, sink, close }
}

export async function openFakeServer(shards: number): Promise<Place & { close(): Promise<void> }> {
  const server = new Child<typeof import('./fake-server.ts')>(new URL('./fake-server.js', import.meta.url))
  const place = await openPlace(certificate => server.call('open', shards, certificate))
  const close = async () => {
    await server.stop()
    place.remove()
  }
  return { ...place, close }
}

async function openPlace(
  listen: (certificate: ReturnType<typeof makeCertificate>) => Promise<number>
): Promise<Place & { remove(): void }> {
  const certificate = makeCertificate()
  const folder = mkdtempSync(join(tmpdir(), 'kinesis-producer-bench-'))
  const file = join(folder, 'certificate.pem')
  writeFileSync(file, certificate.cert)
  const port = await listen(certificate)
  return {
    endpoint: `https://localhost:${port}`,
    env: { NODE_EXTRA_CA_CERTS: file, AWS_EC2_METADATA_DISABLED: 'true', AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1' },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
