/**
 * Which records a stream has taken and not decided, kept beside the stages that move them: a record enters when it is
 * placed and leaves when its fate is decided. It does not know where a record waits, so it is still right after a stage has
 * thrown in the middle of its work.
 * Invariant: every placed, undecided record stands in an open `Members`; `takeAll` gives each of them once.
 * Hot: two additions a record; all else is per Kinesis record.
 */
import { joinAttempts } from '../model/failure-story.ts'
import { Members } from '../model/kinesis-record.ts'
import { historyOf, unanswered } from './members.ts'

export class Custody {
  readonly #open = new Set<Members>()
  #budgetBytes = 0
  #recordCount = 0

  /** Returns new members that are held here until they are decided or moved. */
  open(expectedCount: number): Members {
    const members = new Members(expectedCount)
    this.#open.add(members)
    return members
  }

  /** Records placed and not decided. */
  get recordCount(): number {
    return this.#recordCount
  }

  /** A record that was put stands in open members now. */
  placed(budgetBytes: number): void {
    this.#budgetBytes += budgetBytes
    this.#recordCount++
  }

  /** Whether the record of that number stands anywhere. Cost: O(records held). */
  holds(number: number): boolean {
    for (const members of this.#open) if (members.numbers.includes(number)) return true
    return false
  }

  /** Every record of these members stands in other members now. */
  moved(members: Members): void {
    this.#open.delete(members)
  }

  /** The fate of these members is decided. */
  decided(members: Members): void {
    members.isDecided = true
    this.#open.delete(members)
    this.#budgetBytes -= members.budgetBytes
    this.#recordCount -= members.count
  }

  /**
   * Returns everything held, as one that is to be decided, each record with its own history. A record that was being moved
   * stands in two members: the later ones know more of it.
   */
  takeAll(nowMs: number): Members {
    const places = new Map<number, { readonly members: Members; readonly index: number }>()
    for (const members of this.#open) {
      for (let index = 0; index < members.count; index++) places.set(members.numbers[index]!, { members, index })
    }
    const all = new Members(places.size)
    for (const [number, { members, index }] of places) {
      const { attempts, persisted } = historyOf(members, index)
      const { sentMs } = members
      all.push({
        settle: members.moving(index),
        context: members.contextOf(index),
        acceptedMs: members.acceptedMs[index]!,
        number,
        history: {
          attempts: sentMs === undefined ? attempts : joinAttempts(attempts, [unanswered(sentMs, nowMs)]),
          persisted: sentMs === undefined ? persisted : 'maybe'
        },
        budgetBytes: 0,
        dataBytes: 0
      })
    }
    all.budgetBytes = this.#budgetBytes
    for (const members of this.#open) {
      members.isDecided = true
      members.moved()
    }
    this.#open.clear()
    return all
  }
}
