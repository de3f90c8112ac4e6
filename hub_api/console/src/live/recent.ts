/**
 * What the streams told lately, so that an answer of REST that left the hub before a frame does not undo it.
 *
 * A reading takes a mark, asks, and lays over the answer what was told since the mark.
 */
const KEPT = 1000

export class Recent<T> {
  private told: { at: number; room: string; item: T }[] = []
  private clock = 0

  /** A moment, to be given to `since`. */
  mark(): number {
    return this.clock
  }

  note(room: string, item: T): void {
    this.told.push({ at: ++this.clock, room, item })
    if (this.told.length > 2 * KEPT) this.told = this.told.slice(-KEPT)
  }

  /** What was told of a room after the mark, oldest first. */
  since(room: string, mark: number): T[] {
    return this.told.filter((one) => one.at > mark && one.room === room).map((one) => one.item)
  }
}
