// The libraries' log messages in our one format.

package import Logging

/// swift-log's back end on a `LogWriter`: `event=log logger=… msg=… key=value …`, or `event=<message> key=value …` for
/// our own.
package struct LineLogHandler: LogHandler {
  private let label: String
  private let writer: LogWriter
  package var metadata: Logger.Metadata = [:]
  package var logLevel: Logger.Level

  package init(label: String, writer: LogWriter) {
    self.label = label
    self.writer = writer
    logLevel = writer.level
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    guard writer.takes(event.level) else { return }
    let own = label == LogWriter.ownLabel
    var line = LogLine(time: WallClock.now(), level: event.level, named: own ? event.message.description : "log")
    if !own {
      line.field("logger", label)
      line.field("msg", event.message.description)
    }
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) {
      line.field(named: key, value.description)
    }
    writer.write(line)
  }
}

extension LogWriter {
  /// Divert's own logger: its messages are names of events, as an attempt's line has them.
  static let ownLabel = "divert"

  /// A swift-log logger that writes here.
  package func logger(_ label: String) -> Logger {
    Logger(label: label) { LineLogHandler(label: $0, writer: self) }
  }
}
