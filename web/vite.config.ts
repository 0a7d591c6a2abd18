import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** `npm run dev:console` serves the sources and asks a service that runs already (`npm start`) for everything else. */
const service = process.env.COMMANDBUS_URL ?? 'http://127.0.0.1:4000'

export default defineConfig({
  root: at('.'),
  // elements are made by web/src/jsx, which writes out what a screen would hide
  plugins: [react({ jsxImportSource: at('./src/jsx') }), tailwindcss()],
  build: {
    outDir: at('../dist/web'),
    emptyOutDir: true,
    // of the packages in it
    license: { fileName: 'licences.md' },
    target: 'es2023',
    // the policy of the page allows no inline scripts and no data: scripts
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // one file, loaded once; a test limits what it weighs compressed
    chunkSizeWarningLimit: 700,
  },
  server: {
    port: 4100,
    proxy: Object.fromEntries(['/api', '/health', '/openapi.json', '/docs'].map(path => [path, service])),
  },
})
