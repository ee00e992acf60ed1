// Regular expressions (`matches:`), compiled once each. A compiled one cannot cross threads by itself, so a lock
// guards them all.

import Synchronization

/// Compiled patterns by their source. One belongs to each route table; planning and judging answers share it.
package final class PatternCache: Sendable {
  private let compiled = Mutex<[String: Regex<AnyRegexOutput>?]>([:])

  package init() {}

  /// Whether the pattern is found anywhere in the text. A pattern that does not compile, which the loader rules out,
  /// is found nowhere.
  package func finds(_ pattern: Pattern, in text: String) -> Bool {
    compiled.withLock { compiled in
      if compiled[pattern.source] == nil { compiled[pattern.source] = .some(try? Regex(pattern.source)) }
      guard let regex = compiled[pattern.source] ?? nil else { return false }
      return (try? regex.firstMatch(in: text)) != nil
    }
  }
}

extension Pattern {
  /// What is wrong with a regular expression, as a sentence; nil: nothing.
  package static func check(_ source: String) -> String? {
    do {
      _ = try Regex(source)
      return nil
    } catch {
      return "this regular expression cannot be read: \(error)"
    }
  }
}
