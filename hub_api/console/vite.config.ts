import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const hub = process.env.HUB_PUBLIC_URL ?? 'http://127.0.0.1:8000'

/** Beside each file of the build its packed forms, which the API serves as they are; the service worker learns the names. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    writeBundle(options, bundle) {
      const dist = options.dir ?? 'dist'
      const names = readdirSync(join(dist, 'assets')).sort()
      const worker = join(dist, 'sw.js')
      writeFileSync(worker, readFileSync(worker, 'utf8').replace("['assets']", JSON.stringify(names)))
      const rows: [string, number, number][] = []
      for (const name of names) {
        const file = join(dist, 'assets', name)
        const content = readFileSync(file)
        if (content.length < 1024) continue
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
        const brotli = brotliCompressSync(content)
        writeFileSync(`${file}.br`, brotli)
        rows.push([name, content.length, brotli.length])
      }
      const first = firstPage(bundle)
      for (const [name, plain, small] of rows) {
        const mark = first.has(`assets/${name}`) ? '*' : ' '
        console.log(`${mark} ${name.padEnd(44)} ${kb(plain)} kB, packed ${kb(small)} kB`)
      }
      const page = rows.filter(([name]) => first.has(`assets/${name}`))
      const sum = (at: 1 | 2) => page.reduce((total, row) => total + row[at], 0)
      console.log(`* the first page: ${kb(sum(1))} kB, packed ${kb(sum(2))} kB`)
    },
  }
}

/** The files that the page loads before anything else: the entry and what it imports outright. */
function firstPage(bundle: Record<string, { type: string; isEntry?: boolean; imports?: string[] }>): Set<string> {
  const open = Object.entries(bundle)
    .filter(([, one]) => one.type === 'chunk' && one.isEntry)
    .map(([name]) => name)
  const found = new Set<string>()
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    open.push(...(bundle[name]?.imports ?? []))
  }
  return found
}

/** What the API writes into the page when it serves it. */
function served(): Plugin {
  return {
    name: 'served',
    apply: 'serve',
    transformIndexHtml: (page) => page.replace('{base}', './').replace('{nonce}', ''),
  }
}

const kb = (bytes: number) => (bytes / 1000).toFixed(1).padStart(7)

export default defineConfig({
  base: './', // the hub may stand behind any prefix: no address of the build is absolute
  plugins: [react(), packed(), served()],
  build: {
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 5173,
    proxy: { '/api': hub, '/entrar': hub, '/senha': hub, '/ws': { target: hub, ws: true, headers: { origin: hub } } },
  },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.{ts,tsx}'],
    environmentOptions: { happyDOM: { url: 'http://hub.test/console/' } },
  },
})
