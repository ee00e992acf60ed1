// `tests:` of a file, compiled: the events that are given and the deliveries that must follow. Run by
// `divert test`, and before a file comes into force.
package import DivertCore

/// A file's tests, and what of the file they could reach.
package struct ConfigTests: Sendable {
  /// In the order of the file.
  package var tests: [ConfigTest] = []
  private var file: Fields?
  /// What the file's conditions may name.
  private var scope = TemplateScope.condition

  package init() {}

  /// `file`: what the tests stand in.
  init(_ tests: [ConfigTest], in file: Fields, conditions scope: TemplateScope) {
    self.tests = tests
    self.file = file
    self.scope = scope
  }

  /// The file's actions, routes and branches, each in the order of the file. Found anew each time: only who runs tests
  /// asks for them.
  package var points: [CoveragePoint] { file.map { CoveragePoint.all(in: $0, scope) } ?? [] }

  /// Where the route of this path is switched off; nil: it is not.
  func switchedOff(_ path: String) -> FileLine? {
    let names = path.split(separator: "/").map(String.init)
    var route: YAMLNode?
    for (level, name) in names.enumerated() { route = (level == 0 ? file?["routes"] : route?["also"])?[name] }
    return route?.entry("enabled").map { FileLine($0.keyPlace) }
  }
}

/// A place in a configuration's file.
package struct FileLine: Sendable, Hashable {
  package var file: String
  /// Counted from 1.
  package var line: Int

  init(_ place: Place) {
    file = place.source.file
    line = place.line
  }
}

extension FileLine: CustomStringConvertible {
  /// `routes.yaml:12`.
  package var description: String { "\(file):\(line)" }
}

/// One test of a file.
package struct ConfigTest: Sendable {
  package var name: String
  package var place: FileLine
  /// In the order in which they come; at least one.
  package var events: [TestEvent]
  /// What must follow, in stages of the clock; the first is what is due when the last event has come.
  package var stages: [TestStage]
  package var bodies: [ExpectedBody]
  /// What lookups answer in this test, by their full names.
  package var lookups: [String: LookupMock] = [:]
  /// The suppression list of this test.
  package var suppressed: [Suppression] = []
  /// Targets that take nothing for so long, from the first event on.
  package var down: [String: Span] = [:]
}

/// An event of a test as the source's normaliser read it.
package struct TestEvent: Sendable {
  package var event: Event
  /// By what a repetition of it is known.
  package var dedupe: DedupeKey?
}

/// What must go out up to a moment of the test's clock, and after the stage before it.
package struct TestStage: Sendable, Hashable {
  /// After the last event.
  package var after: Span
  /// `target.action` of each delivery, in any order.
  package var sends: [String]
}

/// What the bodies of a test's deliveries to one action must have in them.
package struct ExpectedBody: Sendable, Hashable {
  /// `target.action`.
  package var send: String
  /// One for every delivery; or as many as there are deliveries, in their order.
  package var values: [JSONValue]
  /// `values` are told for each delivery.
  package var isPerDelivery: Bool
}
