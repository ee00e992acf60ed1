// Event → the lines that it makes in books (inside the transaction that stores it, and while a new book is filled from history).

/// A line that an event makes.
package struct BookLine: Sendable, Hashable {
  package var book: BookDefinition
  package var place: BookPlace
  package var entry: BookEntry
}

/// Books that are fed at present, ready to be asked for every event.
package struct ActiveBooks: Sendable {
  package let books: [BookDefinition]
  /// Places in `books` by the events' names; `open` are those whose condition pins none.
  private var byName: [String: [Int]] = [:]
  private var open: [Int] = []
  private let patterns = PatternCache()

  /// - Parameter books: of several of one name the longest span holds.
  package init(_ books: [BookDefinition] = []) {
    self.books = Self.merged(books)
    for (place, book) in self.books.enumerated() {
      guard let names = book.condition.eventNames else {
        for name in byName.keys { byName[name]?.append(place) }
        open.append(place)
        continue
      }
      for name in names { byName[name, default: open].append(place) }
    }
  }

  private static func merged(_ books: [BookDefinition]) -> [BookDefinition] {
    var places: [String: Int] = [:]
    var merged: [BookDefinition] = []
    for book in books {
      if let place = places[book.name] {
        merged[place].span = max(merged[place].span, book.span)
      } else {
        places[book.name] = merged.count
        merged.append(book)
      }
    }
    return merged
  }

  /// What the event is entered as, a line a book at most. Divert's own alarms are entered nowhere.
  package func entries(for event: Event) -> [BookLine] {
    let places = byName[event.fields.name] ?? open
    if places.isEmpty || event.source == RouteTable.alarmSource { return [] }
    return places.compactMap { line(of: event, in: books[$0]) }
  }

  private func line(of event: Event, in book: BookDefinition) -> BookLine? {
    let context = EvaluationContext(event: event, zone: book.zone, patterns: patterns)
    guard book.condition.holds(for: context),
      let key = book.key.key(of: event, zone: book.zone, country: book.country)
    else { return nil }
    return BookLine(book: book, place: BookPlace(book: book.name, key: key), entry: BookEntry(event))
  }
}

extension BookEntry {
  /// The line of an event: events of one call are one.
  package init(_ event: Event) {
    self.init(at: event.fields.at, event: event.id, mark: event.fields.callID ?? event.id.description)
  }
}

extension Template {
  /// Its text as a key of events; nil where a value of it is missing or nothing is left.
  func key(
    of event: Event, zone: Zone, country: String, tables: [String: [String: String]] = [:]
  ) -> String? {
    if let expression = single, expression.filters.isEmpty, case .field(let field) = expression.path, field.isText {
      return event.text(field).flatMap { $0.isEmpty ? nil : $0 }
    }
    let context = RenderContext(
      event: event, now: event.receivedAt, zone: zone, country: country, tables: tables)
    guard let text = try? context.text(self), !text.isEmpty else { return nil }
    return text
  }
}
