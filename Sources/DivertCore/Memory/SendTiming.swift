// When a send goes out, and what may keep it: `after`, `hours`, `unless`, `expires`, `otherwise`, `throttle`, `once`, `expect`.

/// What a send says of time and memory; all inherited settings resolved.
package struct SendTiming: Sendable {
  /// Sent this much after the event's `at`, not before it was received.
  package var after = Span.zero
  /// Held until allowed.
  package var hours: AllowedHours?
  /// Judged when due: skipped where such an event came.
  package var unless: UnlessDefinition?
  /// Counted from `at`: then it is skipped as expired, and `otherwise` goes out.
  package var expires: Span?
  package var otherwise: [Send] = []
  package var throttle: ThrottleDefinition?
  /// Claimed when its guards have passed: the `once` of its route and of those above that could not be claimed at planning, since
  /// a lookup's answer decides them.
  package var claims: [OnceDefinition] = []
  /// It is an `else` of this route's promise: skipped where that was kept.
  package var promise: String?

  package init() {}

  /// It must ask what is stored before each request.
  package var asksMemory: Bool { unless != nil || throttle != nil || !claims.isEmpty || promise != nil }
  /// Something of it is judged when it is due.
  package var isJudgedWhenDue: Bool { asksMemory || hours != nil || expires != nil }
}

/// `unless: { event: …, same: customer.phone }`.
package struct UnlessDefinition: Sendable, Hashable {
  package var book: String
  package var same: Template
  package var words: String
  package init(book: String, same: Template, words: String) {
    self.book = book
    self.same = same
    self.words = words
  }
}

/// `throttle: { at_most: 1, within: 1h, per: customer.phone }`. Its book is `throttle <route> <send's label>`.
package struct ThrottleDefinition: Sendable, Hashable {
  package var atMost: Int
  package var within: Span
  package var per: Template
  package init(atMost: Int, within: Span, per: Template) {
    self.atMost = atMost
    self.within = within
    self.per = per
  }
}

/// `once: 7d, per: …` of a route. Its book is `once <route>`.
package struct OnceDefinition: Sendable, Hashable {
  package var route: String
  package var period: Span
  package var per: Template
  package init(route: String, period: Span, per: Template) {
    self.route = route
    self.period = period
    self.per = per
  }
}
