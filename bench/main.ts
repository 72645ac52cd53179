/**
 * `npm run bench [-- NAME]`: runs every bench, or the one that is named.
 * Invariant: the list below is all there is.
 */
const BENCHES: Readonly<Record<string, () => Promise<{ run(): Promise<void> }>>> = {
  'put-path': () => import('./put-path.bench.ts'),
  deaggregate: () => import('./deaggregate.bench.ts')
}

const wanted = process.argv[2]
const names = wanted === undefined ? Object.keys(BENCHES) : [wanted]
for (const name of names) {
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (load === undefined) {
    console.error(`no bench is called ${name}; there are: ${Object.keys(BENCHES).join(', ')}`)
    process.exitCode = 2
    break
  }
  await (await load()).run()
}
