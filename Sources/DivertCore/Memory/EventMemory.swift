// What planning and guards may ask of what was stored before, inside the transaction that asks. The store answers it, and a rehearsal's
// plain lists do.

/// Books, claims and promises as they stand within one transaction.
package protocol EventMemory {
  /// What may go wrong while it answers.
  associatedtype Failure: Error = StoreError
  /// The entries of a book under a key with `from` <= at <= `to`, by `at`, then event.
  mutating func entries(of place: BookPlace, from: Timestamp, to: Timestamp) throws(Failure) -> [BookEntry]
  /// The first of them.
  mutating func entries(
    of place: BookPlace, from: Timestamp, to: Timestamp, limit: Int
  ) throws(Failure) -> [BookEntry]
  /// Enters a line; one with the same book, key, at and event is there once. `span` says how long it matters: for at least twice that
  /// it is kept (a book of events brings its own).
  mutating func enter(_ entry: BookEntry, in place: BookPlace, span: Span) throws(Failure)
  /// The promise that a route opened for an event; nil: none.
  mutating func promise(of event: EventID, route: String) throws(Failure) -> Promise?
}

extension EventMemory {
  package mutating func entries(
    of place: BookPlace, from: Timestamp, to: Timestamp, limit: Int
  ) throws(Failure) -> [BookEntry] { Array(try entries(of: place, from: from, to: to).prefix(limit)) }
}
