// Which events report what Divert itself wrote (step 2 of the line), so that a write cannot lead to itself. Filled before a request
// leaves: an event that comes before the request's answer is known, too.

import Synchronization

/// The writes of the last time, in memory; WriteJournal.swift keeps them through a restart. Any thread.
package final class OwnWrites: Sendable {
  /// Writes remembered at most; beyond it the half that would be forgotten first is.
  static let most = 50_000

  fileprivate struct Memory {
    var writes: [String: [Write]] = [:]
    var count = 0
  }

  fileprivate struct Write {
    var echo: ExpectedEcho
    var until: Timestamp
  }

  private let memory = Mutex(Memory())

  package init() {}

  /// Remembers writes whose requests are about to leave. A further attempt of one prolongs it.
  package func expect(_ echoes: [ExpectedEcho], now: Timestamp) {
    memory.withLock { memory in
      for echo in echoes {
        memory.add(Write(echo: echo, until: now + echo.holds), under: Self.key(echo.event, echo.customer))
      }
      if memory.count > Self.most { memory.forget(now) }
    }
  }

  /// Everything that still counts, in no order.
  package func remembered(now: Timestamp) -> [RememberedWrite] {
    memory.withLock { memory in
      memory.writes.values.joined().filter { $0.until >= now }.map { RememberedWrite(echo: $0.echo, until: $0.until) }
    }
  }

  /// Takes over what an earlier process wrote.
  package func restore(_ writes: [RememberedWrite]) {
    memory.withLock { memory in
      for write in writes {
        memory.add(Write(echo: write.echo, until: write.until), under: Self.key(write.echo.event, write.echo.customer))
      }
    }
  }

  /// What was written to a person is not known any more.
  package func forget(_ person: ErasedPerson) {
    memory.withLock { memory in
      memory.writes = memory.writes.filter { _, list in !list.contains { person.isCustomer($0.echo.customer) } }
      memory.count = memory.writes.values.reduce(0) { $0 + $1.count }
    }
  }

  /// Whether an event that was just received reports one of them.
  package func isOwn(_ event: Event) -> Bool {
    guard let phone = event.fields.customerPhone, memory.withLock({ $0.count > 0 }) else { return false }
    let key = Self.key(event.fields.name, Phone.digits(phone))
    return memory.withLock { memory in
      (memory.writes[key] ?? []).contains { $0.until >= event.receivedAt && $0.echo.fits(event, in: .utc) }
    }
  }

  private static func key(_ event: String, _ customer: String) -> String { event + " " + customer }
}

extension OwnWrites.Memory {
  fileprivate mutating func add(_ write: OwnWrites.Write, under key: String) {
    if let place = writes[key]?.firstIndex(where: { $0.echo == write.echo }) {
      writes[key]?[place] = write
    } else {
      writes[key, default: []].append(write)
      count += 1
    }
  }

  /// What is over; and where that is not enough, the half that would be over first.
  fileprivate mutating func forget(_ now: Timestamp) {
    var least = now
    let alive = writes.values.joined().map(\.until).filter { $0 >= now }.sorted()
    if alive.count > OwnWrites.most / 2 { least = alive[alive.count - OwnWrites.most / 2] }
    writes = writes.compactMapValues { list in
      let kept = list.filter { $0.until >= least }
      return kept.isEmpty ? nil : kept
    }
    count = writes.values.reduce(0) { $0 + $1.count }
  }
}
