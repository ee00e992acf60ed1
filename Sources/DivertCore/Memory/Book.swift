// What routes remember of events: books. A book holds the events that match a condition on their own fields, by a key and the time at
// which they happened; `count`, `unless` and `expect` read it, `once` and `throttle` keep claims in books of their own.

/// A book of events: which events are entered, and under which key.
package struct BookDefinition: Sendable, Hashable {
  /// The same for equal conditions and keys, whatever routes use them and however often the file is loaded: 32 hexadecimal digits of
  /// what it says. With `local.…` in the condition the time zone is a part of that.
  package let name: String
  /// On the event's own fields and `local.…` alone.
  package let condition: Condition
  /// Its text is the entry's key; where it has no value, the event is not entered.
  package let key: Template
  /// The longest stretch that any of its readers looks back, or ahead: entries are kept for at least twice that.
  package var span: Span
  /// For `local.…` in the condition.
  package var zone: Zone
  /// For phone numbers in the key.
  package var country: String

  package init(
    name: String, condition: Condition, key: Template, span: Span, zone: Zone = .utc, country: String = "IN"
  ) {
    self.name = name
    self.condition = condition
    self.key = key
    self.span = span
    self.zone = zone
    self.country = country
  }
}

/// A line of a book.
package struct BookEntry: Sendable, Hashable {
  /// When it happened (an event's `at`); for a claim, what it is compared on.
  package var at: Timestamp
  /// The event that it stands for, or whose delivery made the claim.
  package var event: EventID
  /// What makes two entries one: the call's id, else the event's; of a claim the holder.
  package var mark: String

  package init(at: Timestamp, event: EventID, mark: String) {
    self.at = at
    self.event = event
    self.mark = mark
  }
}

/// Where an entry goes: a book's name and a key.
package struct BookPlace: Sendable, Hashable {
  package var book: String
  package var key: String
  package init(book: String, key: String) {
    self.book = book
    self.key = key
  }
}

/// `count:` in a condition: how many distinct calls of a book are in the best window that holds this event.
package struct CountTerm: Sendable, Hashable {
  /// The book's name.
  package var book: String
  /// The book's key, as the file has it.
  package var per: Template
  package var within: Span
  /// What the number is held against.
  package var comparison: Comparison
  /// As the file says it: `at least 2 within 7d per customer.phone`.
  package var words: String

  package init(book: String, per: Template, within: Span, comparison: Comparison, words: String) {
    self.book = book
    self.per = per
    self.within = within
    self.comparison = comparison
    self.words = words
  }
}
