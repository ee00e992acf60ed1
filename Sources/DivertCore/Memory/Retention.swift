// `retention:`: how long which kind of data is kept. What is older is swept in bounded steps.

/// Nil: for ever.
package struct Retention: Sendable, Hashable {
  /// Bodies as they came, and canonical fields beyond what the record needs.
  package var payloads: Span?
  /// Attempts of ended deliveries, with the answers' first bytes.
  package var attempts: Span?
  /// Everything else of an event: that it was, and what followed. Also how long a call counts as a duplicate.
  package var record: Span?
  package init() {}
}

extension Retention {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case payloads, attempts, record
  }

  package subscript(_ kind: Kind) -> Span? {
    switch kind {
    case .payloads: payloads
    case .attempts: attempts
    case .record: record
    }
  }
}

/// What one step of a sweep did.
package struct Swept: Sendable, Hashable {
  /// Events that it swept.
  package var events: Int
  /// Nothing is left for now but what has not ended.
  package var isDone: Bool
  package init(events: Int, isDone: Bool) {
    self.events = events
    self.isDone = isDone
  }
}
