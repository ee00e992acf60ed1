// Regular expressions (`matches:`), compiled once each, whichever thread asks first.

import Synchronization

/// Compiled patterns by their source. One belongs to each route table; planning and judging answers share it.
package final class PatternCache: Sendable {
  private let compiled = Mutex<[String: PatternProgram?]>([:])

  package init() {}

  /// Whether the pattern is found anywhere in the text, of which 65,536 characters at most are looked at. The time is
  /// bounded by the two lengths. A pattern that does not compile, which the loader rules out, is found nowhere.
  package func finds(_ pattern: Pattern, in text: String) -> Bool {
    let program = compiled.withLock { compiled in
      if let known = compiled[pattern.source] { return known }
      let program = try? PatternProgram(pattern.source)
      compiled[pattern.source] = .some(program)
      return program
    }
    return program?.isFound(in: text) ?? false
  }
}

extension Pattern {
  /// What is wrong with a regular expression, as a sentence; nil: nothing.
  package static func check(_ source: String) -> String? {
    do throws(PatternFault) {
      _ = try PatternProgram(source)
      return nil
    } catch {
      return "this regular expression cannot be read: \(error.reason)"
    }
  }
}
