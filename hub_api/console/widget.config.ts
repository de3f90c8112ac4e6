import { readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** The packed forms beside the script, and how large it is. */
function packed(): Plugin {
  return {
    name: 'packed',
    writeBundle() {
      const file = 'dist-widget/widget.js'
      const content = readFileSync(file)
      const gzip = gzipSync(content, { level: 9 })
      writeFileSync(`${file}.gz`, gzip)
      writeFileSync(`${file}.br`, brotliCompressSync(content))
      console.log(
        `* the website's chat: ${(content.length / 1024).toFixed(1)} KiB, gzip ${(gzip.length / 1024).toFixed(1)} KiB`,
      )
    },
  }
}

/** The chat of websites: one file without anything around it, for pages that are not ours. */
export default defineConfig({
  publicDir: false,
  plugins: [packed()],
  build: {
    target: 'es2022',
    outDir: 'dist-widget',
    reportCompressedSize: false,
    lib: { entry: 'widget/main.ts', name: 'HubWidget', formats: ['iife'], fileName: () => 'widget.js' },
  },
})
