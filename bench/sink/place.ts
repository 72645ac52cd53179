/**
 * A sink in its process and the way to it: endpoint, and the certificate for whoever connects.
 * Invariant: after `close` the process and the certificate's file are gone.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../harness/certificate.ts'
import { Child, withChild } from '../harness/child.ts'
import type { PoolOptions } from '../harness/load.ts'

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

/** Runs `use` with a sink, and a process of its own for `module` that trusts it. */
export async function withSink<Module, Result>(
  shards: number,
  module: URL,
  use: (child: Child<Module>, place: SinkPlace) => Promise<Result>
): Promise<Result> {
  const place = await openSink(shards)
  try {
    return await withChild<Module, Result>(module, child => use(child, place), place.env)
  } finally {
    await place.close()
  }
}

/** Throws unless the `count` records of `pool` that `drive` puts arrive, each of them once. */
export async function verifyArrival(
  sink: SinkPlace['sink'],
  pool: PoolOptions,
  count: number,
  drive: (count: number) => Promise<unknown>
): Promise<void> {
  await sink.call('check', pool)
  await drive(count)
  await sink.call('assertArrived', count)
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

/** A stream that has `times` times the records of the pool, in one shard. */
export async function openStoredStream(pool: PoolOptions, times: number): Promise<Place & { close(): Promise<void> }> {
  const server = new Child<typeof import('./stored-stream.ts')>(new URL('./stored-stream.js', import.meta.url))
  const place = await openPlace(certificate => server.call('open', certificate, pool, times))
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
