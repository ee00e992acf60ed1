// Owner 1: the one thread that writes to the store (steps 4, 5 and 12 of the line). All that queued while the last fsync ran
// goes into the next transaction.

import DivertCore
import Glibc
import Synchronization

/// What the owners ask of the database thread.
enum DatabaseMessage: Sendable {
  /// Without a reply nobody would come again: the append is kept until it can be committed.
  case append(Append, reply: AppendReply?)
  case refusal(Refusal)
  /// A turn of the engine: its batch, then its claims.
  case engine(turn: Int?, StoreBatch, [ClaimWish])
  /// An operator's batch.
  case work(StoreBatch, reply: @Sendable (Result<StoreReceipt, StoreError>) -> Void)
  case stop
}

/// What the engine hears from the database thread, in the order in which it happened there.
enum DatabaseNews: Sendable {
  case appended([AppendedEvent])
  /// `answers`: to the questions of these turns, in their order.
  case committed(turn: Int?, due: [String: Timestamp], answers: [DueAnswer])
  case claimed([Claim])
  /// The target's waiting rows cannot be read.
  case unclaimed(String, StoreError)
  /// The store cannot commit (its sentence), or can again (nil).
  case trouble(StoreError?)
}

/// An event that was accepted with deliveries to attempt at once.
struct AppendedEvent: Sendable {
  var event: Event
  var planned: [PlannedDelivery]
  var hot: [Int]
  var table: RouteTable
}

/// Gathers, commits, answers. After a failed commit appends are refused (503 at the door), the engine's batches are kept and
/// tried again: nothing that happened is forgotten.
final class DatabaseThread: Sendable {
  /// Appends in one transaction at most, so that one answer never waits for thousands.
  private static let group = 1024

  private let mailbox: Mailbox<DatabaseMessage>
  private let doorbell: Doorbell
  private let store: any Store
  private let congestion: Congestion
  private let watch: EventWatch
  private let suppressions: SuppressionList
  private let tell: @Sendable ([DatabaseNews]) -> Void
  private let thread = Mutex<OwnerThread?>(nil)
  /// The thread has ended with nothing left to commit.
  private let isDone = Atomic(false)

  /// `tell` is called on the database thread and must not block. `suppressions` follows what is committed.
  init(
    store: any Store, congestion: Congestion, watch: EventWatch, suppressions: SuppressionList = SuppressionList(),
    tell: @escaping @Sendable ([DatabaseNews]) -> Void
  ) {
    self.suppressions = suppressions
    let doorbell = Doorbell()
    self.doorbell = doorbell
    self.store = store
    self.congestion = congestion
    self.watch = watch
    self.tell = tell
    mailbox = Mailbox { doorbell.ring() }
  }

  func start() {
    let thread = OwnerThread { [self] in run() }
    self.thread.withLock { $0 = thread }
  }

  func post(_ message: DatabaseMessage) { mailbox.post(message) }

  /// Commits what was posted before, then ends the thread. False: something of it could not be committed.
  func stop() -> Bool {
    mailbox.post(.stop)
    thread.withLock { $0 }?.join()
    return isDone.load(ordering: .acquiring)
  }

  /// Commits an operator's batch; returns when it is on disk.
  func commit(_ batch: StoreBatch) async throws(StoreError) -> StoreReceipt {
    let result = await withCheckedContinuation { continuation in
      mailbox.post(.work(batch) { continuation.resume(returning: $0) })
    }
    return try result.get()
  }

  // MARK: On the database thread

  private func run() {
    var backlog = Backlog()
    while !backlog.stopped {
      rest(backlog)
      backlog.take(mailbox.drain(), now: WallClock.now())
      while backlog.wantsCommit(WallClock.now()) {
        if !turn(&backlog) { break }
      }
    }
    isDone.store(backlog.isEmpty, ordering: .releasing)
  }

  /// While a transaction gathers, arrivals wake nobody: it is looked at once a millisecond.
  private func rest(_ backlog: borrowing Backlog) {
    if backlog.isGathering { usleep(1000) } else { doorbell.wait(until: backlog.wakeAt(WallClock.now())) }
  }

  /// One transaction and the claims after it; false if the store could not commit.
  private func turn(_ backlog: inout Backlog) -> Bool {
    let now = WallClock.now()
    var group = backlog.nextGroup(Self.group, congested: congestion.current)
    do {
      let receipt = group.batch.isEmpty ? StoreReceipt() : try store.commit(group.batch, now: now)
      suppressions.apply(group.batch.suppressions)
      var news = group.distribute(receipt)
      if backlog.failing {
        backlog.failing = false
        news.append(.trouble(nil))
      }
      tell(news)
      group.answer(receipt)
      watch.committed(group.batch)
      claim(group.claims, now)
      return true
    } catch {
      if !backlog.failing { tell([.trouble(error)]) }
      backlog.failing = true
      backlog.putBack(&group, error)
      return false
    }
  }

  /// All wishes at once; where that fails each alone, so that a target's unreadable row starves no other target.
  private func claim(_ wishes: [ClaimWish], _ now: Timestamp) {
    if wishes.isEmpty { return }
    do {
      tell([.claimed(try store.claim(wishes, now: now))])
    } catch {
      if wishes.count > 1 { return wishes.forEach { claim([$0], now) } }
      let none = wishes.map { Claim(target: $0.target, deliveries: [], nextDue: now + .seconds(10)) }
      tell([.unclaimed(wishes[0].target, error), .claimed(none)])
    }
  }
}
