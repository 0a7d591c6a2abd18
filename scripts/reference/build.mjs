// `npm run docs:reference`: the API reference, from the docstrings of everything that the package exports, to docs/reference.
// A missing docstring or a link that leads nowhere fails it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installApart } from '../install-apart.mjs'

const home = fileURLToPath(new URL('./', import.meta.url))

if (!installApart(home)) process.exit(1)
const typedoc = join(home, 'node_modules', 'typedoc', 'bin', 'typedoc')
const { status } = spawnSync(process.execPath, [typedoc, '--options', join(home, 'typedoc.json')], { stdio: 'inherit' })
process.exit(status ?? 1)
