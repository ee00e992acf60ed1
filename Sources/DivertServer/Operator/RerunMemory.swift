// What `divert rerun` asks memory: what is stored, what history had before the books that are kept, and what the rerun itself claimed.

import DivertCore

/// Nothing is written: the claims of an event go with what is added for it.
struct RerunMemory: EventMemory {
  private let stored: StoredMemory
  private var seen = RehearsalMemory()
  /// Made since `take` was called last.
  private var claims: [BookClaim] = []

  init(_ store: any Store) { stored = StoredMemory(store) }

  /// Enters an event of history, from before the time that the store's books still cover.
  mutating func feed(_ event: Event, _ books: ActiveBooks) -> Int {
    let lines = books.entries(for: event)
    for line in lines { seen.enter(line.entry, in: line.place, span: line.book.span) }
    return lines.count
  }

  mutating func take() -> [BookClaim] {
    defer { claims = [] }
    return claims
  }

  mutating func entries(
    of place: BookPlace, from: Timestamp, to: Timestamp
  ) throws(StoreError) -> [BookEntry] {
    let (known, own) = (try stored.entries(of: place, from: from, to: to), seen.entries(of: place, from: from, to: to))
    if own.isEmpty { return known }
    return Set(known + own).sorted { ($0.at, $0.event.sequence) < ($1.at, $1.event.sequence) }
  }

  mutating func enter(_ entry: BookEntry, in place: BookPlace, span: Span) throws(StoreError) {
    seen.enter(entry, in: place, span: span)
    claims.append(BookClaim(place: place, entry: entry, span: span))
  }

  mutating func promise(of event: EventID, route: String) throws(StoreError) -> Promise? {
    try stored.promise(of: event, route: route)
  }
}
