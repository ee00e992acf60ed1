// Who is not to be written to: the list that an operator keeps, obeyed by messages to a person.

/// Which messages to a person: the class of an action.
package enum MessageClass: String, Sendable, Hashable, CaseIterable {
  /// Given to somebody who has just called or written.
  case answer
  /// The business writes on its own account.
  case outreach
}

/// An entry of the list. A phone has at most one.
package struct Suppression: Sendable, Hashable {
  /// E.164.
  package var phone: String
  /// One word or a few: `grievance`, `bereavement`.
  package var reason: String
  /// Answers too; else outreach alone.
  package var coversAnswers: Bool
  package var since: Timestamp
  /// Nil: until it is removed.
  package var until: Timestamp?

  package init(phone: String, reason: String, coversAnswers: Bool, since: Timestamp, until: Timestamp?) {
    self.phone = phone
    self.reason = reason
    self.coversAnswers = coversAnswers
    self.since = since
    self.until = until
  }

  package func holds(at now: Timestamp) -> Bool { until.map { now < $0 } ?? true }
  /// Whether a message of the class is withheld by it.
  package func withholds(_ message: MessageClass) -> Bool { coversAnswers || message == .outreach }
}

/// A change of the list, as a transaction writes it.
package enum SuppressionChange: Sendable, Hashable {
  case add(Suppression)
  /// Who removed it is not asked; the moment stays on record.
  case remove(phone: String, at: Timestamp)
}
