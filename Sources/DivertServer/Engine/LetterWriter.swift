// Step 11 of the line: dead letters' files, on a thread of their own, since each costs an fsync. The rows follow only after them.

import DivertCore
import DivertStore
import Synchronization

/// Writes letters in batches and says which are on disk. One that cannot be written is tried again until it can.
final class LetterWriter: Sendable {
  struct Order: Sendable {
    var token: JobToken
    var letter: DeadLetter
  }

  private let mailbox: Mailbox<Order>
  private let doorbell: Doorbell
  private let directory: DeadLetterDirectory
  private let buried: @Sendable ([JobToken]) -> Void
  private let failed: @Sendable (String?) -> Void
  private let stopping = Atomic<Bool>(false)
  private let thread = Mutex<OwnerThread?>(nil)

  /// `buried` gets the letters whose files are on disk; `failed` a sentence when writing fails, and nil when it works again.
  init(
    directory: DeadLetterDirectory, buried: @escaping @Sendable ([JobToken]) -> Void,
    failed: @escaping @Sendable (String?) -> Void
  ) {
    let doorbell = Doorbell()
    self.doorbell = doorbell
    self.directory = directory
    self.buried = buried
    self.failed = failed
    mailbox = Mailbox { doorbell.ring() }
  }

  func start() {
    let thread = OwnerThread { [self] in run() }
    self.thread.withLock { $0 = thread }
  }

  func post(_ orders: [Order]) { mailbox.post(all: orders) }

  /// Writes what was posted before (once), then ends the thread.
  func stop() {
    stopping.store(true, ordering: .releasing)
    doorbell.ring()
    thread.withLock { $0 }?.join()
  }

  private func run() {
    var waiting: [Order] = []
    var failing = false
    while true {
      let last = stopping.load(ordering: .acquiring)
      waiting += mailbox.drain()
      if !waiting.isEmpty { write(&waiting, &failing) }
      if last { return }
      if waiting.isEmpty && !mailbox.isEmpty { continue }
      doorbell.wait(until: waiting.isEmpty ? nil : WallClock.now() + .seconds(1))
    }
  }

  /// All at once; where that fails each alone, so that a letter that cannot be written holds up no other. Leaves in
  /// `orders` what is to be tried again.
  private func write(_ orders: inout [Order], _ failing: inout Bool) {
    var fault: StoreError?
    do { try bury(orders[...]) } catch { fault = error }
    var left = fault == nil ? [] : orders
    if left.count > 1 {
      left.removeAll { order in
        do {
          try bury([order])
          return true
        } catch { return false }
      }
    }
    orders = left
    if left.isEmpty { fault = nil }
    if failing != (fault != nil) { failed(fault?.description) }
    failing = fault != nil
  }

  private func bury(_ orders: ArraySlice<Order>) throws(StoreError) {
    _ = try directory.write(orders.map(\.letter))
    buried(orders.map(\.token))
  }
}
