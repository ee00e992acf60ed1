// What a store says of books and promises beside its protocol: which books must be filled from history, which promises are meant, and
// memory that is only read.

/// A book in use to which events are missing that were stored before it was.
package struct BookGap: Sendable, Hashable {
  package var book: BookDefinition
  /// Of the events received from then on …
  package var from: Timestamp
  /// … up to this one, which is the last.
  package var through: EventID
  package init(book: BookDefinition, from: Timestamp, through: EventID) {
    self.book = book
    self.from = from
    self.through = through
  }
}

/// Which promises are meant; every condition that is given must hold.
package struct PromiseFilter: Sendable, Hashable {
  /// Of the reception of the event that opened it; from included, to excluded.
  package var since: Timestamp?
  package var until: Timestamp?
  /// The path of the route that opened it.
  package var route: String?
  /// How it stands now.
  package var standing: Promise.Standing?
  /// The newest come first.
  package var newestFirst: Bool
  package init(
    since: Timestamp? = nil, until: Timestamp? = nil, route: String? = nil, standing: Promise.Standing? = nil,
    newestFirst: Bool = false
  ) {
    self.since = since
    self.until = until
    self.route = route
    self.standing = standing
    self.newestFirst = newestFirst
  }
}

/// Where a page of promises ended.
package struct PromisePlace: Sendable, Hashable {
  package var event: EventID
  package var route: String
  package init(_ promise: Promise) {
    event = promise.event
    route = promise.route
  }
}

/// A store's memory to look at, from any thread: nothing is entered. Each question sees the last committed state.
package struct StoredMemory: EventMemory {
  private let store: any Store
  private let last: EventID?

  /// - Parameter last: as it stood when this event was stored: what later ones entered is left out; nil: as it stands now.
  package init(_ store: any Store, asOf last: EventID? = nil) {
    self.store = store
    self.last = last
  }

  package func entries(of place: BookPlace, from: Timestamp, to: Timestamp) throws(StoreError) -> [BookEntry] {
    let all = try store.entries(of: place, from: from, to: to)
    guard let last else { return all }
    return all.filter { $0.event.sequence <= last.sequence }
  }

  package func entries(
    of place: BookPlace, from: Timestamp, to: Timestamp, limit: Int
  ) throws(StoreError) -> [BookEntry] {
    if last != nil { return Array(try entries(of: place, from: from, to: to).prefix(limit)) }
    return try store.entries(of: place, from: from, to: to, limit: limit)
  }

  package func enter(_ entry: BookEntry, in place: BookPlace, span: Span) throws(StoreError) {}

  package func promise(of event: EventID, route: String) throws(StoreError) -> Promise? {
    try store.promises(of: event).first { $0.route == route }
  }
}

extension Store {
  /// All entries of a book under a key with `from` <= at <= `to`, by `at`, then event.
  package func entries(of place: BookPlace, from: Timestamp, to: Timestamp) throws(StoreError) -> [BookEntry] {
    try entries(of: place, from: from, to: to, limit: .max)
  }
}
