// Notices that a source has gone quiet (`silent_after`): the one failure that no event can report.

import DivertCore
import Synchronization

/// When each source was last heard, and whether that is too long ago.
final class SilenceWatch: Sendable {
  private let heard: Mutex<[String: Timestamp]>
  /// Sources that were really heard since the start.
  private let speaking = Mutex<Set<String>>([])

  /// Sources count as heard at the start, so that a restart is no silence.
  init(sources: some Sequence<String>, now: Timestamp) {
    heard = Mutex(Dictionary(uniqueKeysWithValues: sources.map { ($0, now) }))
  }

  /// Sources that are new count as heard now; those that are gone are forgotten.
  func watch(_ sources: some Sequence<String>, now: Timestamp) {
    heard.withLock { heard in
      heard = Dictionary(sources.map { ($0, heard[$0] ?? now) }) { first, _ in first }
    }
  }

  func heard(_ source: String, at now: Timestamp) {
    heard.withLock { $0[source] = now }
    speaking.withLock { _ = $0.insert(source) }
  }

  /// The sources that are silent too long, with the sentence to say; and those that are not.
  func judge(_ sources: [String: SourceDefinition], now: Timestamp) -> (silent: [String: String], heard: [String]) {
    var silent: [String: String] = [:]
    var audible: [String] = []
    for (name, source) in sources {
      guard let limit = source.silentAfter else { continue }
      let last = heard.withLock { $0[name] } ?? now
      if now - last < limit {
        if speaking.withLock({ $0.contains(name) }) { audible.append(name) }
      } else {
        silent[name] = "source \(name) has sent nothing for \(limit.duration): is its webhook still registered?"
      }
    }
    return (silent, audible)
  }

  /// How often to look: a tenth of the shortest limit, within a second and a minute; nil: no source has one.
  static func interval(_ sources: [String: SourceDefinition]) -> Span? {
    let shortest = sources.values.compactMap(\.silentAfter).min()
    return shortest.map { max(.seconds(1), min(.minutes(1), Span(milliseconds: $0.milliseconds / 10))) }
  }
}
