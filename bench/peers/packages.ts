import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('../../../', import.meta.url)
const folder = new URL('bench/peers/', root)
const require = createRequire(new URL('package.json', folder))

/** Installs the peers where they are not yet: they have a package.json of their own, so that nobody else has them. */
export const installPeers = async (): Promise<void> => {
  const install = new URL('scripts/install-apart.mjs', root)
  const { installApart }: { installApart: (folder: string) => boolean } = await import(install.href)
  if (!installApart(fileURLToPath(folder))) throw new Error('The peers could not be installed; see the lines above.')
}

/** A peer's module and its name with the version, as installed. */
export const loadPackage = async <Module>(name: string): Promise<{ module: Module; label: string }> => {
  const { version } = require(`${name}/package.json`) as { readonly version: string }
  return { module: await import(pathToFileURL(require.resolve(name)).href), label: `${name} ${version}` }
}
