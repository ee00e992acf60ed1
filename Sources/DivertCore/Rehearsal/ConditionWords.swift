// A condition as a sentence: `event is CALL_REJECTED and direction is INCOMING`.

extension Condition {
  /// The condition in one line, as one would say it; an empty one is `every event`.
  package var words: String {
    switch self {
    case .all(let conditions) where conditions.isEmpty: "every event"
    case .all(let conditions): conditions.map(\.part).joined(separator: " and ")
    case .any(let conditions): conditions.map(\.part).joined(separator: " or ")
    case .not(let condition): "not (\(condition.words))"
    case .value(let path, let comparison): "\(path) \(comparison)"
    case .count(let term): "count \(term.words)"
    case .suppressed(let wanted): wanted ? "the customer is suppressed" : "the customer is not suppressed"
    }
  }

  /// As a part of another: in brackets where it has several parts itself.
  private var part: String {
    switch self {
    case .any(let conditions) where conditions.count > 1: "(\(words))"
    case .all(let conditions) where conditions.count > 1: "(\(words))"
    default: words
    }
  }
}
