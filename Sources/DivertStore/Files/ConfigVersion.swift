// One version of the configuration, as `meta.json` in `data/config-history/` describes it.

package import DivertCore

/// What is known of a version beside its text: when, who, why, and what its tests said.
package struct ConfigVersion: Sendable, Hashable {
  /// How a version came into force.
  package enum Way: String, Sendable, Hashable {
    /// Found in the file at a start.
    case start
    /// The file was saved.
    case save
    /// SIGHUP.
    case signal
    case apply, rollback
    /// An edit by command, or over the operator address.
    case edit

    /// Divert itself writes the files; else somebody had.
    package var writesFiles: Bool { self == .apply || self == .rollback || self == .edit }
  }

  /// Counted from 1; 0 before it is kept.
  package var number: Int
  /// The content's hash: the configuration's name in the store, in dead letters and in logs.
  package var hash: String
  package var at: Timestamp
  package var way: Way
  /// A user's name; `file` where nobody is known.
  package var who: String
  package var why: String?
  /// The number that was brought back by a rollback.
  package var rollbackOf: Int?
  /// What the file's own tests said: how many ran …
  package var testsRun: Int
  /// … and how many of them failed: it was put into force despite them.
  package var testsFailed: Int
  /// Names, from the main file's folder; the main file first.
  package var files: [String]
  package var targets: [String]

  package init(
    hash: String, at: Timestamp, way: Way, who: String, why: String?, rollbackOf: Int?, testsRun: Int,
    testsFailed: Int = 0, targets: [String]
  ) {
    number = 0
    self.hash = hash
    self.at = at
    self.way = way
    self.who = who
    self.why = why
    self.rollbackOf = rollbackOf
    self.testsRun = testsRun
    self.testsFailed = testsFailed
    files = []
    self.targets = targets
  }

  /// `0007-2026-01-15T10-30-25Z-3f9a2b7c01de`.
  package var folderName: String {
    let digits = String(number)
    let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    let time = at.iso8601.prefix(19).split(separator: ":").joined(separator: "-")
    return "\(padded)-\(time)Z-\(hash)"
  }
}

extension ConfigVersion {
  /// What its tests said, in words; empty where it has none.
  package var tests: String {
    if testsFailed > 0 { return "\(testsFailed) of \(testsRun) failed, put into force despite it" }
    return testsRun > 0 ? "\(testsRun) passed" : ""
  }

  /// As it is written and answered.
  package var json: JSONValue {
    var object = JSONObject()
    object["number"] = .number(number)
    object["version"] = .string(hash)
    object["at"] = .string(at.iso8601)
    object["way"] = .string(way.rawValue)
    object["who"] = .string(who)
    object["why"] = why.map { .string($0) } ?? .null
    object["rollback_of"] = rollbackOf.map { .number($0) }
    object["tests"] = ["run": .number(testsRun), "failed": .number(testsFailed), "say": .string(tests)]
    object["files"] = .array(files.map { .string($0) })
    object["targets"] = .array(targets.map { .string($0) })
    return .object(object)
  }

  /// Nil where what matters is missing.
  init?(_ json: JSONValue) {
    guard let number = json["number"]?.integer, let hash = json["version"]?.string,
      let at = json["at"]?.string.flatMap({ Timestamp(iso8601: $0) }), let files = json["files"]?.array,
      !files.isEmpty
    else { return nil }
    self.init(
      hash: hash, at: at, way: json["way"]?.string.flatMap(Way.init) ?? .save, who: json["who"]?.string ?? "file",
      why: json["why"]?.string, rollbackOf: json["rollback_of"]?.integer.map(Int.init),
      testsRun: Int(json["tests"]?["run"]?.integer ?? 0),
      testsFailed: Int(json["tests"]?["failed"]?.integer ?? 0),
      targets: json["targets"]?.array?.compactMap(\.string) ?? [])
    self.number = Int(number)
    self.files = files.compactMap(\.string)
    if !self.files.allSatisfy(Self.isInside) { return nil }
  }

  /// A name that leads nowhere else.
  private static func isInside(_ name: String) -> Bool {
    !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
  }
}
