// What routes remember, as plain lists: for rehearsals, where nothing is stored.

/// Books, claims and promises of the events that a rehearsal has seen.
package struct RehearsalMemory: EventMemory, Sendable {
  private var books: [BookPlace: [BookEntry]] = [:]
  /// In the order in which they were opened.
  package private(set) var promises: [Promise] = []
  /// For how long the lines of each book matter.
  private var spans: [String: Span] = [:]

  package init() {}

  /// Enters an event in the books that it belongs to, and keeps the promises that it keeps. Before it is planned.
  package mutating func feed(_ event: Event, _ active: ActiveBooks) {
    for line in active.entries(for: event) {
      enter(line.entry, in: line.place, span: line.book.span)
      for index in promises.indices where promises[index].place == line.place {
        promises[index].keep(by: line.entry, receivedAt: event.receivedAt)
      }
    }
  }

  /// Keeps what a plan opened; one of the same event and route is there once.
  package mutating func open(_ opened: [Promise]) {
    for promise in opened where self.promise(of: promise.event, route: promise.route) == nil {
      promises.append(promise)
    }
  }

  package func entries(of place: BookPlace, from: Timestamp, to: Timestamp) -> [BookEntry] {
    (books[place] ?? []).filter { $0.at >= from && $0.at <= to }
  }

  package mutating func enter(_ entry: BookEntry, in place: BookPlace, span: Span) {
    spans[place.book] = max(spans[place.book] ?? .zero, span)
    var entries = books[place] ?? []
    let order = (entry.at, entry.event.sequence)
    let index = entries.firstIndex { ($0.at, $0.event.sequence) >= order } ?? entries.count
    if index < entries.count, entries[index].at == entry.at, entries[index].event == entry.event {
      entries[index] = entry
    } else {
      entries.insert(entry, at: index)
    }
    books[place] = entries
  }

  /// Forgets lines that are older than twice the stretch for which they matter, and promises that were judged that long ago.
  package mutating func forget(now: Timestamp) {
    for (place, entries) in books {
      let span = (spans[place.book] ?? .zero) + .days(1)
      let kept = entries.drop { $0.at < now - span - span }
      books[place] = kept.isEmpty ? nil : Array(kept)
    }
    promises.removeAll { $0.judgedAt < now - .days(1) && $0.judgedAt < now - (spans[$0.place.book] ?? .zero) }
  }

  package func promise(of event: EventID, route: String) -> Promise? {
    promises.first { $0.event == event && $0.route == route }
  }
}

extension RouteTable {
  /// Every book that it reads, as a rehearsal feeds them.
  package var activeBooks: ActiveBooks { ActiveBooks(parts.books.sorted { $0.key < $1.key }.map(\.value)) }
}
