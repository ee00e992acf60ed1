// `divert send`: hands a body in as if its source had posted it, and tells what becomes of it as it happens.

import DivertCore
import ServiceLifecycle

enum SendCommand {
  /// Lines: `{"accepted": …}`, then `{"delivery": …}` whenever one changes, at last `{"done": …, "open": n}`. A body that is
  /// refused is answered with the refusal and its status.
  static func run(_ context: OperatorContext, _ input: OperatorInput) async throws -> OperatorResponse {
    guard let live = context.live else {
      throw OperatorFailure(503, "not_running", "the router is not running: start it with `divert serve`")
    }
    let source = try input.requiredText("source")
    try KnownNames(context).require(configuredSource: source)
    let wait = try input.number("wait_seconds", in: 0...86_400, or: 30)
    let body = try input.requiredText("body")
    let ingested = await live.ingest(source, try input.text("label"), Array(body.utf8))
    guard (200..<300).contains(ingested.status), let id = ingested.answer["id"]?.string.flatMap(EventID.init) else {
      return .json(ingested.answer, status: ingested.status < 300 ? 502 : ingested.status)
    }
    let (lines, out) = AsyncStream<[UInt8]>.makeStream()
    out.yield(JSONValue.object(JSONObject([.init(key: "accepted", value: ingested.answer)])).encoded())
    let following = Task {
      let open = await follow(id, context, live, out, wait: wait)
      out.yield(JSONValue(dictionaryLiteral: ("done", .bool(open == 0)), ("open", .number(open))).encoded())
      out.finish()
    }
    out.onTermination = { if case .cancelled = $0 { following.cancel() } }
    return OperatorResponse(status: 200, contentType: "application/x-ndjson", body: .lines(lines))
  }

  /// Tells every change until all deliveries have ended, but for those planned for later than that, or the time is over; returns
  /// how many are open then.
  private static func follow(
    _ id: EventID, _ context: OperatorContext, _ live: LiveRouter, _ out: AsyncStream<[UInt8]>.Continuation, wait: Int
  ) async -> Int {
    let changes = await live.watch(id)
    let teller = ChangeTeller(id: id, context: context, out: out, until: context.now() + .seconds(Int64(wait)))
    return await withTaskGroup(of: Int?.self) { group in
      group.addTask {
        if await teller.tell() == 0 { return 0 }
        for await _ in changes where await teller.tell() == 0 { return 0 }
        return nil
      }
      group.addTask {
        try? await Task.sleep(for: .seconds(wait))
        return nil
      }
      group.addTask {
        // Whoever waits for an answer holds up no stop.
        try? await gracefulShutdown()
        return nil
      }
      let open = await group.next() ?? nil
      group.cancelAll()
      return if let open { open } else { await teller.tell() }
    }
  }
}

/// Tells what changed of an event's deliveries since it was last asked.
private actor ChangeTeller {
  private let id: EventID
  private let context: OperatorContext
  private let out: AsyncStream<[UInt8]>.Continuation
  private var told: [DeliveryID: [UInt8]] = [:]

  private let until: Timestamp

  init(id: EventID, context: OperatorContext, out: AsyncStream<[UInt8]>.Continuation, until: Timestamp) {
    self.id = id
    self.until = until
    self.context = context
    self.out = out
  }

  /// Returns how many deliveries have not ended that might within the time.
  func tell() async -> Int {
    let store = context.store
    let id = id
    let record = try? await Blocking.run { try store.event(id) }
    guard let record else { return 0 }
    let stills = await StandStills(context)
    let table = context.tableOfVersion(record.version) ?? context.table()
    for delivery in record.deliveries {
      let line = JSONValue(dictionaryLiteral: ("delivery", FindReport.delivery(delivery, table, stills))).encoded()
      if told.updateValue(line, forKey: delivery.id) != line { out.yield(line) }
    }
    return record.deliveries.count { !$0.state.isFinal && !($0.attempts.isEmpty && $0.due > until) }
  }
}
