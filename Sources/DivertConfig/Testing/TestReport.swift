// What running a file's tests gave: for people, programs and the log of what came into force.
package import DivertCore

/// The results of a file's tests.
package struct TestReport: Sendable {
  /// In the order of the file.
  package var results: [TestResult]
  package var coverage: Coverage

  /// No test failed; also where there is none.
  package var passed: Bool { results.allSatisfy(\.passed) }
  /// How many failed.
  package var failures: Int { results.count { !$0.passed } }

  /// `3 tests passed`, `2 of 3 tests failed: 'a', 'b'`, `no tests`.
  package var summary: String {
    let all = "\(results.count) test\(results.count == 1 ? "" : "s")"
    if results.isEmpty { return "no tests" }
    if passed { return "\(all) passed" }
    let names = results.filter { !$0.passed }.map { "'\($0.name)'" }
    let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " …" : "")
    return "\(failures) of \(all) failed: \(shown)"
  }
}

/// What one test gave.
package struct TestResult: Sendable {
  package var name: String
  package var place: FileLine
  /// The deliveries that followed, in the order in which they went out.
  package var deliveries: [TestDelivery]
  /// Those that ended without being sent.
  package var withheld: [TestWithheld] = []
  /// Everything that is not as the test has it; empty: passed.
  package var differences: [TestDifference]
  /// What is worth knowing of a test that failed: an event that counted as a duplicate.
  package var notes: [String]

  package var passed: Bool { differences.isEmpty }
}

/// A delivery that followed from a test's event.
package struct TestDelivery: Sendable {
  /// `target.action`.
  package var name: String
  /// The path of the route that sends it.
  package var route: String
  /// Which of the test's events it follows from, counted from 1.
  package var event: Int
  package var due: Timestamp
  /// When it went out.
  package var at: Timestamp
  /// The request's body: JSON as it is, a form as its fields; nil where the request has none or could not be made.
  package var body: JSONValue?
  /// Why no request could be made of it; nil: it could.
  package var fault: Reason?
  /// Lookups that it needs and the test says nothing of.
  package var openLookups: [String] = []
  /// Lookups that create what they do not find, where that decides whether it goes and the test does not say what it is.
  package var openCreations: [String] = []
}

/// A delivery that ended without being sent.
package struct TestWithheld: Sendable {
  /// `target.action`.
  package var name: String
  package var route: String
  /// Counted from 1.
  package var event: Int
  package var at: Timestamp
  package var reason: Reason

  /// By time, memory or the suppression list, not by what a lookup said.
  var isByMemory: Bool { !["condition_not_met", "lookup_none", "no_step"].contains(reason.code) }
}

/// One thing that is not as a test has it.
package struct TestDifference: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable {
    /// Expected, and not planned.
    case missing
    /// Planned, and not expected.
    case unexpected
    /// The body has another value at a path.
    case body
    /// Planned, but its request could not be made: the delivery would be dead.
    case fault
    /// Planned, but it asks a lookup that the test does not answer.
    case lookup
  }

  package var kind: Kind
  /// `target.action`.
  package var delivery: String
  /// Of a delivery that followed: its route's path.
  package var route: String?
  /// Of a delivery that followed: which event it follows from, counted from 1.
  package var event: Int?
  /// Of `body`: the path in it; empty for the whole.
  package var path: String?
  /// Of `body`: nil where nothing was to be there.
  package var expected: JSONValue?
  /// Of `body`: nil where nothing is there.
  package var actual: JSONValue?
  /// Why, or what is nearest; nil where there is no more to say.
  package var why: String?

  /// The difference as one sentence.
  package var sentence: String {
    let origin = route.map { " (route \($0)\(event.map { ", event \($0)" } ?? ""))" } ?? ""
    let reason = why.map { ": \($0)" } ?? ""
    switch kind {
    case .missing: return "\(delivery) was expected and not sent\(reason)"
    case .unexpected: return "\(delivery) was sent and not expected\(origin)\(reason)"
    case .lookup: return "\(delivery) cannot be judged\(origin)\(reason)"
    case .fault: return "\(delivery) could not be sent\(origin)\(reason)"
    case .body:
      let place = path.map { $0.isEmpty ? "" : " at \($0)" } ?? ""
      let wanted = expected.map { $0.text } ?? "nothing"
      return
        "the body of \(delivery)\(origin)\(place) was expected to be \(wanted), but is \(actual?.text ?? "missing")"
    }
  }
}
