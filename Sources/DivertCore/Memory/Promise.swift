// `expect:` as a record: the promise that a later event comes, and what became of it.

/// `expect:` of a route.
package struct ExpectDefinition: Sendable, Hashable {
  /// The book of the awaited events; its key is `same`.
  package var book: String
  package var same: Template
  package var within: Span
  /// In words, for reports: `event is CALL_ACCEPTED within 1h`.
  package var words: String
  package init(book: String, same: Template, within: Span, words: String) {
    self.book = book
    self.same = same
    self.within = within
    self.words = words
  }
}

/// A promise that was opened: one for each event and route at most.
package struct Promise: Sendable, Hashable {
  /// The event that opened it.
  package var event: EventID
  package var route: String
  package var place: BookPlace
  /// The opener's `at`.
  package var openedAt: Timestamp
  /// Kept by an event with openedAt < at <= deadline.
  package var deadline: Timestamp
  /// Judged then: the later of the deadline and 60 s after the opener was received.
  package var judgedAt: Timestamp
  /// The earliest event, by `at`, that keeps it; nil: none is known.
  package var keeper: EventID?
  package var keptAt: Timestamp?
  /// When the first of the events that keep it was received.
  package var reportedAt: Timestamp?

  package init(
    event: EventID, route: String, place: BookPlace, openedAt: Timestamp, deadline: Timestamp, judgedAt: Timestamp
  ) {
    self.event = event
    self.route = route
    self.place = place
    self.openedAt = openedAt
    self.deadline = deadline
    self.judgedAt = judgedAt
  }

  package enum Standing: String, Sendable, Hashable, CaseIterable {
    case open, kept, broken
    /// It was broken when it was judged, and its event arrived after that.
    case keptReportedLate = "kept_reported_late"
  }

  /// How it stands at a moment.
  package func standing(at now: Timestamp) -> Standing {
    guard let reportedAt else { return now >= judgedAt ? .broken : .open }
    return reportedAt > judgedAt ? .keptReportedLate : .kept
  }

  /// How long after its opener it was kept.
  package var keptAfter: Span? { keptAt.map { $0 - openedAt } }
}
