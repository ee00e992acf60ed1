// A test report as text for people, JSON for programs and annotations for GitHub's workflows.
package import DivertCore

extension TestReport {
  /// A line a test with ✓ or ✗, the diff of each that failed, and how many there were.
  package var text: String {
    let body = results.map(\.text).joined(separator: "\n")
    return results.isEmpty ? "" : body + "\n\n" + summary
  }

  package var json: JSONValue {
    [
      "passed": .bool(passed), "summary": .string(summary), "tests": .array(results.map(\.json)),
      "coverage": coverage.json,
    ]
  }

  /// One `::error` line for each test that failed.
  package var annotations: [String] {
    results.filter { !$0.passed }.map { result in
      let title = GitHub.property("divert test: " + result.name)
      let text = (result.differences.map(\.sentence) + result.notes).joined(separator: "\n")
      let place = "file=\(GitHub.property(result.place.file)),line=\(result.place.line)"
      return "::error \(place),title=\(title)::\(GitHub.data(text))"
    }
  }
}

extension TestResult {
  /// `✓ name`, or `✗ name  (file:line)` and the diff.
  package var text: String {
    if passed { return "✓ \(name)" }
    return (["✗ \(name)  (\(place))"] + diff.map { "    " + $0 }).joined(separator: "\n")
  }

  /// `-` before what was expected, `+` before what there was.
  private var diff: [String] {
    var lines: [String] = []
    if differences.contains(where: { $0.kind == .missing || $0.kind == .unexpected }) { lines += deliveryDiff }
    for difference in differences where [.fault, .lookup].contains(difference.kind) {
      lines.append(difference.sentence)
    }
    lines += bodyDiff + notes.map { "note: \($0)" }
    return lines
  }

  private var deliveryDiff: [String] {
    let missing = differences.filter { $0.kind == .missing }
    var unexpected = differences.filter { $0.kind == .unexpected }
    let width = (missing.map(\.delivery) + deliveries.map(\.name)).map(\.count).max() ?? 0
    func line(_ mark: String, _ name: String, _ remark: String) -> String {
      "  \(mark) \(name)" + String(repeating: " ", count: width - name.count) + "  " + remark
    }
    var lines = ["deliveries (- expected, + sent):"]
    for difference in missing { lines.append(line("-", difference.delivery, difference.why ?? "")) }
    for delivery in deliveries {
      let place = unexpected.firstIndex {
        $0.delivery == delivery.name && $0.route == delivery.route && $0.event == delivery.event
      }
      if let place { unexpected.remove(at: place) }
      lines.append(line(place == nil ? " " : "+", delivery.name, origin(delivery.route, delivery.event)))
    }
    for one in withheld where one.isByMemory && !missing.contains(where: { $0.delivery == one.name }) {
      lines.append("  · \(one.name)  \(origin(one.route, one.event)) not sent: \(one.reason.sentence)")
    }
    return lines
  }

  private var bodyDiff: [String] {
    var lines: [String] = []
    var head = ""
    for difference in differences where difference.kind == .body {
      let next =
        "body of \(difference.delivery) \(origin(difference.route ?? "", difference.event ?? 1)) (- expected, + sent):"
      if next != head { lines.append(next) }
      head = next
      let key = difference.path.map { $0.isEmpty ? "" : $0 + ": " } ?? ""
      lines.append("  - \(key)\(difference.expected?.text ?? "nothing")")
      lines.append("  + \(key)\(difference.actual?.text ?? "nothing")")
    }
    return lines
  }

  private func origin(_ route: String, _ event: Int) -> String {
    deliveries.contains { $0.event > 1 } ? "(\(route), event \(event))" : "(\(route))"
  }

  package var json: JSONValue {
    [
      "name": .string(name), "file": .string(place.file), "line": .number(place.line), "passed": .bool(passed),
      "deliveries": .array(
        deliveries.map {
          [
            "name": .string($0.name), "route": .string($0.route), "event": .number($0.event),
            "due": .string($0.due.iso8601), "at": .string($0.at.iso8601),
          ]
        }),
      "withheld": .array(withheld.map(\.json)),
      "differences": .array(differences.map(\.json)), "notes": .array(notes.map { .string($0) }),
    ]
  }
}

extension TestWithheld {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "route": .string(route), "event": .number(event), "at": .string(at.iso8601),
      "reason": ["code": .string(reason.code), "sentence": .string(reason.sentence)],
    ]
  }
}

extension TestDifference {
  fileprivate var json: JSONValue {
    let members: [(String, JSONValue?)] = [
      ("kind", .string(kind.rawValue)), ("delivery", .string(delivery)), ("route", route.map { .string($0) }),
      ("event", event.map { .number($0) }), ("path", path.map { .string($0) }), ("expected", expected),
      ("actual", actual), ("why", why.map { .string($0) }), ("sentence", .string(sentence)),
    ]
    return .object(JSONObject(members.compactMap { key, value in value.map { .init(key: key, value: $0) } }))
  }
}

extension Coverage {
  /// What no test reaches, a line each with its place, and the percentage.
  package var text: String {
    let width = missed.map { "\($0.place)".count }.max() ?? 0
    let lines = missed.map { point in
      "\(point.place)" + String(repeating: " ", count: width - "\(point.place)".count)
        + "  \(point.kind.rawValue) \(point.name)"
    }
    let rate = "coverage: \(percent)% (\(reached) of \(points.count) routes, branches and actions)"
    return (lines.isEmpty ? [rate] : [rate, "no test reaches:"] + lines.map { "  " + $0 }).joined(separator: "\n")
  }

  package var json: JSONValue {
    [
      "percent": .number("\(percent)"), "reached": .number(reached), "points": .number(points.count),
      "missed": .array(
        missed.map {
          [
            "kind": .string($0.kind.rawValue), "name": .string($0.name), "file": .string($0.place.file),
            "line": .number($0.place.line),
          ]
        }),
    ]
  }

  /// One `::warning` line for each point that no test reaches.
  package var annotations: [String] {
    missed.map { point in
      let place = "file=\(GitHub.property(point.place.file)),line=\(point.place.line)"
      return
        "::warning \(place),title=divert test::\(GitHub.data("no test reaches \(point.kind.rawValue) \(point.name)"))"
    }
  }
}

/// The escapes of GitHub's workflow commands.
private enum GitHub {
  static func data(_ text: String) -> String { replaced(text, ["%": "%25", "\r": "%0D", "\n": "%0A"]) }

  static func property(_ text: String) -> String {
    replaced(text, ["%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"])
  }

  private static func replaced(_ text: String, _ table: [Unicode.Scalar: String]) -> String {
    text.unicodeScalars.map { table[$0] ?? String($0) }.joined()
  }
}
