/**
 * A voice message as the channel wants it. Browsers record Opus into WebM (RFC 9559), phones play Opus in Ogg (RFC 7845), one
 * channel; the sound itself is the same, so its packets are packed anew and nothing is encoded twice. Pure.
 */

const RATE = 48_000 // of every position in an Opus stream, whatever was recorded
const PACKETS_PER_PAGE = 50
/** Elements of WebM that hold others; everything else is passed over, or read below. */
const HOLDERS = new Set([0x18538067, 0x1f43b675, 0x1654ae6b, 0xae, 0xa0])
const CODEC_PRIVATE = 0x63a2
const BLOCKS = new Set([0xa3, 0xa1])
const LACING = 0x06

/** WebM with one Opus track as Ogg. Raises Error for anything else. */
export function oggFromWebm(webm: Uint8Array): Uint8Array<ArrayBuffer> {
  const packets: Uint8Array[] = []
  let head: Uint8Array | null = null
  for (const { id, data } of elements(webm, 0, webm.length)) {
    if (id === CODEC_PRIVATE) head = data
    if (BLOCKS.has(id)) packets.push(frameOf(data))
  }
  if (!head || new TextDecoder().decode(head.subarray(0, 8)) !== 'OpusHead') throw new Error('this is no Opus in WebM')
  return stream(mono(head), packets)
}

interface Element {
  id: number
  data: Uint8Array
}

function* elements(bytes: Uint8Array, from: number, to: number): Generator<Element> {
  let at = from
  while (at < to) {
    const [id, idLength] = number(bytes, at, true)
    const [size, sizeLength] = number(bytes, at + idLength, false)
    const start = at + idLength + sizeLength
    // A live recording does not know its length: the element goes on to the end of what holds it.
    const end = size < 0 ? to : Math.min(to, start + size)
    if (HOLDERS.has(id)) {
      yield* elements(bytes, start, end)
    } else {
      yield { id, data: bytes.subarray(start, end) }
    }
    at = end
  }
}

/** A number of variable length (RFC 8794 §4): its value and its bytes; -1 for "unknown". An id keeps its marker. */
function number(bytes: Uint8Array, at: number, isId: boolean): [number, number] {
  const first = bytes[at] ?? 0
  const length = Math.clz32(first) - 23
  if (length > 8) throw new Error('this is no WebM')
  let value = isId ? first : first & (0xff >> length)
  let unknown = !isId && value === 0xff >> length
  for (let index = 1; index < length; index++) {
    const byte = bytes[at + index] ?? 0
    value = value * 256 + byte
    unknown &&= byte === 0xff
  }
  return [unknown ? -1 : value, length]
}

/** The sound in a block: after the track's number, two bytes of time and one of marks. */
function frameOf(block: Uint8Array): Uint8Array {
  const [, length] = number(block, 0, false)
  if ((block[length + 2] ?? 0) & LACING) throw new Error('several frames in a block')
  return block.subarray(length + 3)
}

/** The same stream announced with one channel: a decoder mixes what has two. */
function mono(head: Uint8Array): Uint8Array {
  const changed = head.slice(0, 19)
  changed[9] = 1
  changed[18] = 0
  return changed
}

/** Samples of a packet at 48 kHz, from its first byte (RFC 6716 §3.1). */
export function samplesOf(packet: Uint8Array): number {
  const first = packet[0] ?? 0
  const config = first >> 3
  const size =
    config < 12
      ? [480, 960, 1920, 2880][config & 3]
      : config < 16
        ? [480, 960][config & 1]
        : [120, 240, 480, 960][config & 3]
  const frames = [1, 2, 2, (packet[1] ?? 0) & 0x3f][first & 3] ?? 1
  return (size ?? 960) * frames
}

function stream(head: Uint8Array, packets: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode('Telecom hub')
  const tags = new Uint8Array(16 + name.length)
  tags.set(new TextEncoder().encode('OpusTags'))
  tags[8] = name.length
  tags.set(name, 12)
  const pages = [page([head], 0, 0, 2), page([tags], 0, 1, 0)]
  let position = new DataView(head.buffer, head.byteOffset).getUint16(10, true)
  let held: Uint8Array[] = []
  let segments = 0
  packets.forEach((packet, index) => {
    const needs = Math.floor(packet.length / 255) + 1
    if (held.length === PACKETS_PER_PAGE || segments + needs > 255) {
      pages.push(page(held, position, pages.length, 0))
      held = []
      segments = 0
    }
    held.push(packet)
    segments += needs
    position += samplesOf(packet)
    if (index === packets.length - 1) pages.push(page(held, position, pages.length, 4))
  })
  const whole = new Uint8Array(pages.reduce((sum, one) => sum + one.length, 0))
  let at = 0
  for (const one of pages) {
    whole.set(one, at)
    at += one.length
  }
  return whole
}

/** A page of Ogg (RFC 3533 §6); `mark`: 2 the first, 4 the last. */
function page(packets: Uint8Array[], position: number, sequence: number, mark: number): Uint8Array {
  const lacing = packets.flatMap((packet) => [...Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255])
  const size = packets.reduce((sum, packet) => sum + packet.length, 0)
  const made = new Uint8Array(27 + lacing.length + size)
  const view = new DataView(made.buffer)
  made.set(new TextEncoder().encode('OggS'))
  made[5] = mark
  view.setBigUint64(6, BigInt(position), true)
  view.setUint32(14, RATE, true) // the serial number: any, there is one stream
  view.setUint32(18, sequence, true)
  made[26] = lacing.length
  made.set(lacing, 27)
  let at = 27 + lacing.length
  for (const packet of packets) {
    made.set(packet, at)
    at += packet.length
  }
  view.setUint32(22, checksum(made), true)
  return made
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1
  return value >>> 0
})

function checksum(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) sum = ((sum << 8) ^ (TABLE[((sum >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0
  return sum
}
