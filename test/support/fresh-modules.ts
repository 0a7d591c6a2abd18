import { vi } from 'vitest'

// One process runs several files, so that it loads jsdom and React once; each file has its own copy of our modules.
vi.resetModules()
