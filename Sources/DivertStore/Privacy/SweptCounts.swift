// What sweeps keep in mind: how far they came, and the counts of what they removed, so that every equation still holds.

import DivertCore

/// Counts of events that are gone with everything of theirs. In `meta` under `swept_counts`.
struct SweptCounts {
  var sources: [String: Int] = [:]
  var targets: [String: [DeliveryState: Int]] = [:]

  private static let name = "swept_counts"

  init() {}

  /// As the store has it.
  init(_ connection: SQLiteConnection) throws {
    let text = try connection.prepare("SELECT value FROM meta WHERE name = '\(Self.name)'").first { $0.blob(0) }
    guard let text else { return }
    let json = try StoredJSON.parse(text, "value")
    for member in json["sources"]?.object?.members ?? [] { sources[member.key] = Int(member.value.integer ?? 0) }
    for member in json["targets"]?.object?.members ?? [] {
      for state in DeliveryState.allCases {
        guard let count = member.value[state.name]?.integer else { continue }
        targets[member.key, default: [:]][state] = Int(count)
      }
    }
  }

  func write(_ writer: SQLiteWriter) throws {
    let json: JSONValue = [
      "sources": .object(
        JSONObject(sources.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .number($0.value)) })),
      "targets": .object(
        JSONObject(
          targets.sorted { $0.key < $1.key }.map { target, counts in
            let members = counts.sorted { $0.key.rawValue < $1.key.rawValue }
            return .init(
              key: target,
              value: .object(JSONObject(members.map { .init(key: $0.key.name, value: .number($0.value)) })))
          })),
    ]
    try writer.statement("INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)").run([
      .text(Self.name), .text(String(decoding: json.encoded(), as: UTF8.self)),
    ])
  }
}

/// How far a kind of sweep has come. In `meta` under `swept_<kind>`.
struct SweepPlace {
  /// Every event up to it was looked at.
  var through: Int64 = -1
  /// Events before it that had not ended then.
  var left: [Int64] = []

  /// With so many left behind a sweep waits for some of them to end.
  static let most = 5000

  init() {}

  init(_ kind: String, _ writer: SQLiteWriter) throws {
    let select = try writer.statement("SELECT value FROM meta WHERE name = ?1")
    guard let text = try select.first([.text("swept_" + kind)], { $0.blob(0) }) else { return }
    let json = try StoredJSON.parse(text, "value")
    through = json["through"]?.integer ?? -1
    left = (json["left"]?.array ?? []).compactMap(\.integer)
  }

  func write(_ kind: String, _ writer: SQLiteWriter) throws {
    let json: JSONValue = ["through": .number(through), "left": .array(left.map { .number($0) })]
    try writer.statement("INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)").run([
      .text("swept_" + kind), .text(String(decoding: json.encoded(), as: UTF8.self)),
    ])
  }
}
