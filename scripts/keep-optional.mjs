// Makes dependencies of the optional peer dependencies in package.json, at the versions of development, so that
// `npm prune --omit=dev` keeps what the program needs. For images: the Dockerfile runs it.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package.json', import.meta.url)
const { peerDependencies, peerDependenciesMeta, ...manifest } = JSON.parse(readFileSync(file, 'utf8'))
for (const name of Object.keys(peerDependencies)) {
  manifest.dependencies[name] = manifest.devDependencies[name]
  delete manifest.devDependencies[name]
}
writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
