// Time and memory of routes and sends as phrases: for `divert graph`, and wherever a route is shown.

extension Template {
  /// A value's name alone as the file has it, else the template's text.
  package var words: String {
    if let expression = single, expression.filters.isEmpty { return expression.path.description }
    return parts.map { part in
      switch part {
      case .literal(let text): text
      case .expression(let expression): "{{ \(expression) }}"
      }
    }.joined()
  }
}

extension OnceDefinition {
  /// `once in 7d per customer.phone`.
  package var words: String { "once in \(period.duration) per \(per.words)" }
}

extension ThrottleDefinition {
  /// `at most 1 in 1h per customer.phone`.
  package var words: String { "at most \(atMost) in \(within.duration) per \(per.words)" }
}

extension SendTiming {
  /// What is said of it, in the order in which it is judged: `after 10m`, `only 08:00-19:00`; empty: nothing.
  package var words: [String] {
    var words: [String] = []
    if after > .zero { words.append("after \(after.duration)") }
    if let expires { words.append("expires after \(expires.duration)") }
    if let hours { words.append("only \(hours.words)") }
    if let unless { words.append("unless \(unless.words)") }
    if let throttle { words.append(throttle.words) }
    return words
  }

  /// The same for programs.
  package var json: JSONObject {
    var object = JSONObject()
    if after > .zero { object["after"] = .string(after.duration) }
    object["expires"] = expires.map { .string($0.duration) }
    object["hours"] = hours.map { .string($0.words) }
    object["unless"] = unless.map { .string($0.words) }
    object["throttle"] = throttle.map { .string($0.words) }
    return object
  }
}
