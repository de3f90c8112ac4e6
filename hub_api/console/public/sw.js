// Keeps the build's files, whose names carry the hash of their content, and nothing else: no page, no answer of the API.
// The build writes the names in place of the list below, so that each build is another worker and the files before it go.
const NAMES = ['assets']
const CACHE = 'assets'

self.addEventListener('install', () => self.skipWaiting())

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE)
      for (const request of await cache.keys()) {
        if (!NAMES.includes(request.url.split('/').pop())) await cache.delete(request)
      }
      await self.clients.claim()
    })(),
  )
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  const assets = new URL('./assets/', self.registration.scope).href
  if (event.request.method !== 'GET' || !url.href.startsWith(assets)) return
  event.respondWith(
    (async () => {
      const cache = await caches.open(CACHE)
      const kept = await cache.match(event.request)
      if (kept) return kept
      const answer = await fetch(event.request)
      if (answer.ok) await cache.put(event.request, answer.clone())
      return answer
    })(),
  )
})
