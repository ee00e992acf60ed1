// The log's format: one line stays one line, whatever a value holds.

import DivertCore
import Glibc
import Logging
import Testing

@testable import DivertServer

@Suite struct LogLineTests {
  private func text(_ build: (inout LogLine) -> Void) -> String {
    var line = LogLine(time: Timestamp(milliseconds: 1_768_473_025_007), level: .info, event: "attempt")
    build(&line)
    return String(decoding: line.finish(), as: UTF8.self)
  }

  @Test("a line begins with time, level and event") func head() {
    #expect(text { _ in } == "time=2026-01-15T10:30:25.007Z level=info event=attempt\n")
  }

  @Test("plain values stand bare, all others in quotes, with control characters escaped") func values() {
    let line = text { line in
      line.field("a", "plain/ñ")
      line.field("b", "two words")
      line.field("c", "say \"x\\y\"")
      line.field("d", "a\nb\r\tc\u{1}\u{7f}")
      line.field("e", "")
      line.field("f", "k=v")
      line.field("g", nil)
      line.field("h", -12_034)
      line.field("i", Int64.min)
      line.field(named: "odd key=", "v")
    }
    let expected =
      #" a=plain/ñ b="two words" c="say \"x\\y\"" d="a\nb\r\tc\u0001\u007f" e="" f="k=v" h=-12034 "#
      + "i=-9223372036854775808 odd_key_=v\n"
    #expect(line.hasSuffix(expected))
    #expect(line.count { $0 == "\n" } == 1)
  }

  @Test("an attempt's line has its fixed fields in order, and nothing of the answer") func attempt() throws {
    let plan = PlannedDelivery(
      route: "agent-declined/apology", send: "0", target: "crm", action: "log_call", orderKey: "+919876543210",
      due: Timestamp(milliseconds: 0), toPerson: false)
    let id = DeliveryID(event: EventID(sequence: 77, tag: 5), ordinal: 2)
    let attempt = Attempt(
      startedAt: Timestamp(milliseconds: 0), duration: .milliseconds(31), status: 503, outcome: .retry,
      reason: Reason("http_5xx", "the target answered 503"), answer: "secret of +919876543210")
    let lines = try written { log in
      log.attempt(
        attempt, of: Delivery(id: id, plan: plan, version: "v"), number: 3, due: Timestamp(milliseconds: 5000),
        now: Timestamp(milliseconds: 1000))
    }
    #expect(
      lines == [
        """
        time=1970-01-01T00:00:01.000Z level=warning event=attempt id=\(id) event_id=\(id.event) \
        route=agent-declined/apology target=crm action=log_call attempt=3 outcome=retry status=503 ms=31 \
        reason=http_5xx due=1970-01-01T00:00:05.000Z
        """
      ])
  }

  @Test("lines from many threads arrive whole, none lost") func threads() async throws {
    let pipe = try TestPipe()
    let log = LogWriter(descriptor: pipe.writing)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for number in 0..<50 {
            var line = LogLine(time: Timestamp(milliseconds: 0), level: .info, event: "x")
            line.field("n", "\(task)-\(number)")
            log.write(line)
          }
        }
      }
    }
    log.flush()
    let lines = pipe.lines()
    #expect(Set(lines).count == 400)
    #expect(lines.allSatisfy { $0.hasPrefix("time=1970-01-01T00:00:00.000Z level=info event=x n=") })
  }

  @Test("when the reader is too slow, lines are dropped, counted and said") func dropped() throws {
    let pipe = try TestPipe()
    let log = LogWriter(descriptor: pipe.writing, capacity: 150)
    for _ in 0..<10 { log.write(LogLine(time: Timestamp(milliseconds: 0), level: .info, event: "x")) }
    log.flush()
    let lines = pipe.lines()
    #expect(lines.count < 10)
    #expect(lines.last?.contains("event=log_dropped lines=\(10 - (lines.count - 1))") == true)
  }

  @Test("the libraries' messages take the same form, and lower levels are left out") func libraries() throws {
    let lines = try written { log in
      var logger = log.logger("hummingbird")
      logger[metadataKey: "port"] = "8080"
      logger.info("Server started", metadata: ["on it": "a b"])
      logger.debug("unseen")
    }
    #expect(lines.count == 1)
    #expect(
      lines.first?.hasSuffix(#"level=info event=log logger=hummingbird msg="Server started" on_it="a b" port=8080"#)
        == true)
  }

  private func written(_ body: (LogWriter) -> Void) throws -> [String] {
    let pipe = try TestPipe()
    let log = LogWriter(descriptor: pipe.writing)
    body(log)
    log.flush()
    return pipe.lines()
  }
}

@Suite struct MaskingTests {
  @Test("a body's people are masked, its shape is not") func body() throws {
    let body: JSONValue = [
      "event": "CALL_REJECTED", "callId": "call_01HX9abc123", "customerNumber": "919876543210",
      "customerName": "Rohan Mehta", "rejectedBy": "James Smith", "durationInSeconds": 145,
      "callEndedAt": "2026-01-15T10:30:25.000Z", "mail": "rohan@example.com",
      "recordingUrl": "https://u:p@recordings.example.com/a.mp3?token=abc", "apiToken": "xyz", "endedBy": "",
      "nested": ["+91 98765-43210", 919_876_543_210],
    ]
    let masked: JSONValue = [
      "event": "CALL_REJECTED", "callId": "call_01HX9abc123", "customerNumber": "********3210", "customerName": "R. M.",
      "rejectedBy": "J. S.", "durationInSeconds": 145, "callEndedAt": "2026-01-15T10:30:25.000Z",
      "mail": "***@example.com", "recordingUrl": "https://recordings.example.com/a.mp3?…", "apiToken": "***",
      "endedBy": "", "nested": ["+** *****-*3210", "********3210"],
    ]
    #expect(Masking.body(body) == masked)
  }
}

/// A pipe whose writing end a log can have.
final class TestPipe {
  let writing: Int32
  private let reading: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    (reading, writing) = (ends[0], ends[1])
  }

  /// Closes the writing end and returns what was written.
  func lines() -> [String] {
    close(writing)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(reading, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
    close(reading)
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
