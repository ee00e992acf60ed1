// The log's lines about books that are filled from history.

import DivertCore
import Logging

struct BookLog: Sendable {
  var log: Logger

  func begins(_ gathered: GatheredBooks) {
    log.notice("books_gather", metadata: fields(gathered, ["msg": "what routes remember is gathered from history"]))
  }

  /// Now and then, while it lasts.
  func goesOn(_ progress: BookProgress) {
    log.notice("books_gathering", metadata: fields(progress.gathered, ["reached": "\(progress.reached)"]))
  }

  func ends(_ gathered: GatheredBooks, after: Span) {
    log.notice(
      "books_gathered",
      metadata: fields(gathered, ["entries": "\(gathered.entries)", "ms": "\(after.milliseconds)"]))
  }

  /// The set of books could not be made smaller.
  func kept(_ reason: String) {
    log.warning("books_kept", metadata: ["reason": "\(reason)", "msg": "books are fed that no route reads any more"])
  }

  private func fields(_ gathered: GatheredBooks, _ more: Logger.Metadata) -> Logger.Metadata {
    let own: Logger.Metadata = [
      "books": "\(gathered.books)", "events": "\(gathered.events)", "since": "\(gathered.from.map(\.iso8601) ?? "")",
    ]
    return own.merging(more) { $1 }
  }
}
