// How the configuration stands: which one is in force since when, and what became of the last change.

package import DivertCore
package import DivertStore

/// For `divert status` and the metrics.
package struct ConfigStanding: Sendable {
  /// What lies in the file is not in force.
  package struct Refused: Sendable {
    package var at: Timestamp
    package var code: String
    /// Everything that speaks against it, as it is printed.
    package var text: String
    /// What the file holds, so that the same is not tried twice.
    var seen: String
    /// Secrets that were absent: it is tried again when one of them is there.
    var absentSecrets: [String] = []
  }

  /// The version in force; nil: none could be read (no router runs).
  package var version: ConfigVersion?
  /// Since when it is in force in this process.
  package var since: Timestamp
  /// Nil: the file is in force.
  package var refused: Refused?
  /// Changes that went into force since the start, and those that were refused.
  package var reloads = 0
  package var failures = 0
  /// Settings that differ from those at the start and need a restart.
  package var restart: [String] = []
  /// Its own tests that fail: it is in force despite them.
  package var failingTests: [String] = []
  /// History that is read for a configuration which goes into force afterwards; nil: none is.
  package var gathering: BookProgress?

  /// As it is answered.
  package var json: JSONValue {
    var object = version?.json.object ?? JSONObject()
    object["since"] = RecordJSON.moment(since)
    object["needs_restart"] = .array(restart.map { .string($0) })
    object["failing_tests"] = .array(failingTests.map { .string($0) })
    object["reloads"] = .number(reloads)
    object["failures"] = .number(failures)
    object["file_in_force"] = .bool(refused == nil)
    object["gathering"] = gathering.map {
      ["events": .number($0.gathered.events), "reached": RecordJSON.moment($0.reached)]
    }
    object["refused"] = refused.map {
      ["at": RecordJSON.moment($0.at), "code": .string($0.code), "text": .string($0.text)]
    }
    return .object(object)
  }
}

/// What is taken up at the start alone.
struct RestartSettings: Sendable {
  private let settings: [(name: String, value: String)]

  init(_ table: RouteTable) {
    let server = table.parts.server
    settings = [
      ("server.listen.tls", server.tls.map { "\($0.certificate) \($0.key)" } ?? ""),
      ("server.operator_key", server.operatorKey.map { "\($0)" } ?? ""),
      ("server.request_timeout", server.requestTimeout.duration), ("server.grace", server.grace.duration),
    ]
  }

  /// The names of those that another configuration has otherwise.
  func changed(in table: RouteTable) -> [String] {
    zip(settings, RestartSettings(table).settings).filter { $0.value != $1.value }.map(\.0.name)
  }
}
