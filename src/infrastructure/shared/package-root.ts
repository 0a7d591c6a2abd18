import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** This package as it is installed: its folder has `package.json`, `migrations` and `dist`. */
export interface OwnPackage {
  readonly root: string
  readonly version: string
}

const manifestOf = (folder: string): { readonly name?: string; readonly version: string } | null => {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return null
  }
}

/** Null where this code is part of another program's bundle, which has none of the package's files. */
export const ownPackage = (): OwnPackage | null => {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    const manifest = manifestOf(at)
    if (manifest?.name !== undefined)
      return manifest.name === 'commandbus' ? { root: at, version: manifest.version } : null
  }
  return null
}

/** @throws Error where the package's files cannot be there */
export const ownFile = (...path: readonly string[]): string => {
  const root = ownPackage()?.root
  if (root === undefined)
    throw new Error(`${path.join('/')} is in the package commandbus and not in a bundle: run \`npx commandbus\``)
  return join(root, ...path)
}
