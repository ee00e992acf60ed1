// Who waits to hear what becomes of an event: `divert send` prints deliveries as they happen.

import DivertCore
import Synchronization

/// Subscriptions to events. Costs one relaxed load a turn while nobody watches.
final class EventWatch: Sendable {
  private struct Watcher {
    var number: Int
    var stream: AsyncStream<DeliveryID>.Continuation
  }

  private let count = Atomic<Int>(0)
  private let watchers = Mutex<(next: Int, byEvent: [EventID: [Watcher]])>((0, [:]))

  /// An element whenever something about a delivery of the event was committed, until the consumer stops.
  func subscribe(_ event: EventID) -> AsyncStream<DeliveryID> {
    let (stream, continuation) = AsyncStream.makeStream(of: DeliveryID.self, bufferingPolicy: .bufferingNewest(256))
    let number = watchers.withLock { state in
      state.next += 1
      state.byEvent[event, default: []].append(Watcher(number: state.next, stream: continuation))
      return state.next
    }
    count.add(1, ordering: .relaxed)
    continuation.onTermination = { [weak self] _ in self?.unsubscribe(event, number) }
    return stream
  }

  private func unsubscribe(_ event: EventID, _ number: Int) {
    count.subtract(1, ordering: .relaxed)
    watchers.withLock { state in
      state.byEvent[event]?.removeAll { $0.number == number }
      if state.byEvent[event]?.isEmpty == true { state.byEvent[event] = nil }
    }
  }

  /// A batch was committed.
  func committed(_ batch: StoreBatch) {
    if count.load(ordering: .relaxed) == 0 { return }
    for row in batch.rows { tell(row.id) }
    for update in batch.packed {
      for ordinal in update.states.indices { tell(DeliveryID(event: update.event, ordinal: ordinal)) }
    }
  }

  private func tell(_ delivery: DeliveryID) {
    let streams = watchers.withLock { $0.byEvent[delivery.event]?.map(\.stream) ?? [] }
    for stream in streams { stream.yield(delivery) }
  }
}
