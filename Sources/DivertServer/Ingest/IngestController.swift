// Steps 1 to 4 of the line: a request's head and body are judged, the event is planned, stored, and only then
// acknowledged.

import DivertCore
import Logging
import NIOHTTP1
import Synchronization

/// The one way in: HTTP, `divert send` and a retried quarantine file all come through here.
package final class IngestController: Sendable {
  private let seams: IngestSeams
  private let quarantine: Quarantine
  private let log: LogWriter
  private let gates: SourceGates
  private let isStopping = Atomic(false)

  /// `key` replaces every source's key (the sandbox's); nil: as configured.
  package init(seams: IngestSeams, quarantine: Quarantine, log: LogWriter, key: String? = nil) {
    self.seams = seams
    self.quarantine = quarantine
    self.log = log
    gates = SourceGates(key: key, secret: seams.secret)
  }

  /// From now on everything is answered 503 `shutting_down`.
  package func stop() { isStopping.store(true, ordering: .relaxed) }

  /// The service for a listener.
  package var service: HTTPService {
    HTTPService(
      head: { self.judge($0, peer: $1) },
      failure: { IngestRefusal.http($0).answer })
  }
}

// MARK: - The head

extension IngestController {
  /// Judges everything that can be judged before the body is read.
  private func judge(_ head: HTTPRequestHead, peer: String) -> HeadVerdict {
    let table = seams.currentTable()
    guard let path = IngestPath(head.uri) else { return .answer(IngestRefusal.notHere.answer) }
    guard let gate = gates.gate(of: path.source, in: table) else {
      return .answer(IngestRefusal.unknownSource.answer)
    }
    if let fault = objection(to: head, path, gate, peer) {
      return .answer(refuse(fault, source: gate.source.name, peer: peer))
    }
    let label = gate.hasKey ? path.rest.dropFirst().first : path.rest.first
    let source = gate.source
    let limit = table.parts.server.maxBody
    return .read(
      BodyReader(
        limit: limit,
        tooLarge: { self.refuse(.tooLarge(limit), source: source.name, peer: peer) },
        whole: { self.take($0, source: source, label: label, peer: peer, table: table, reply: $1) }))
  }

  private func objection(to head: HTTPRequestHead, _ path: IngestPath, _ gate: SourceGate, _ peer: String)
    -> IngestRefusal?
  {
    if isStopping.load(ordering: .relaxed) { return .stopping }
    if head.method != .POST { return .wrongMethod }
    if !gate.takes(address: peer) { return .wrongAddress }
    if gate.hasKey {
      guard let key = path.rest.first, gate.takes(key: key) else { return .wrongKey }
    } else if path.rest.count > 1 {
      return .notHere
    }
    if !gate.takes(header: { head.headers.first(name: $0) }) { return .wrongHeader }
    let encoding = head.headers.first(name: "content-encoding")?.lowercased() ?? "identity"
    if encoding != "identity" { return .compressed }
    return Self.objection(toContentType: head.headers.first(name: "content-type"))
  }

  /// JSON under any of its names, or no name at all.
  private static func objection(toContentType text: String?) -> IngestRefusal? {
    guard let text, text != "application/json" else { return nil }
    let type = text.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
    if type.isEmpty || type == "application/json" || type == "text/json" || type.hasSuffix("+json") { return nil }
    return .notJSON(type.hasPrefix("multipart/") || type == "application/x-www-form-urlencoded")
  }
}

// MARK: - The body

extension IngestController {
  /// Takes a body as if it had come with a valid key: for `divert send`. Counted, kept in quarantine and answered as
  /// over HTTP.
  package func receive(source: String, label: String?, body: [UInt8], contentType: String? = nil) async -> HTTPAnswer {
    let table = seams.currentTable()
    guard let source = table.parts.sources[source] else { return IngestRefusal.unknownSource.answer }
    if isStopping.load(ordering: .relaxed) { return refuse(.stopping, source: source.name, peer: "") }
    if let fault = Self.objection(toContentType: contentType) { return refuse(fault, source: source.name, peer: "") }
    let limit = table.parts.server.maxBody
    if body.count > limit { return refuse(.tooLarge(limit), source: source.name, peer: "") }
    return await withCheckedContinuation { continuation in
      take(body, source: source, label: label, peer: "", table: table) { continuation.resume(returning: $0()) }
    }
  }

  /// Takes a quarantined body again, through the same steps. Accepted, it leaves the quarantine; refused, it stays and
  /// nothing is counted, since nothing new was received. Nil: there is no such file.
  package func retry(quarantined name: String) async throws -> HTTPAnswer? {
    guard let kept = try quarantine.show(name) else { return nil }
    let table = seams.currentTable()
    guard let source = table.parts.sources[kept.source] else { return IngestRefusal.unknownSource.answer }
    let append: Append
    do throws(IngestRefusal) {
      append = try plan(kept.body, source: source, label: kept.label, table: table)
    } catch {
      return error.answer
    }
    let result = await withCheckedContinuation { continuation in
      seams.append(append) { continuation.resume(returning: $0) }
    }
    let answer = answer(append, result, peer: "")
    if case .success = result { try quarantine.remove(name) }
    return answer
  }

  /// Steps 2 to 4. What can be judged at once is answered at once; the rest when it is on disk.
  private func take(
    _ body: [UInt8], source: SourceDefinition, label: String?, peer: String, table: RouteTable,
    reply: @escaping BodyReader.Reply
  ) {
    do throws(IngestRefusal) {
      let append = try plan(body, source: source, label: label, table: table)
      seams.append(append) { result in reply { self.answer(append, result, peer: peer) } }
    } catch {
      guard error.isMalformedBody else {
        let answer = refuse(error, source: source.name, peer: peer)
        return reply { answer }
      }
      let sent = QuarantinedBody(
        source: source.name, label: label, receivedAt: seams.now(), code: error.code, faults: error.allFaults,
        body: body)
      Task {
        let kept = await quarantine.keep(sent)
        let answer = refuse(error, source: sent.source, peer: peer, quarantined: kept)
        reply { answer }
      }
    }
  }

  /// What is told of an append: accepted, known already, or that it could not be kept and is to be sent again.
  private func answer(_ append: Append, _ result: Result<AppendOutcome, StoreError>, peer: String) -> HTTPAnswer {
    switch result {
    case .success(let outcome):
      if case .accepted(_, let plan, _) = outcome {
        append.table.matches.count(plan.matched, receivedAt: append.receivedAt)
      }
      return Self.answer(to: outcome)
    case .failure(let error):
      let source = append.source
      logStoreFault(error, source: source)
      return refuse(error.code == "closed" ? .stopping : .storeFailed(error.code), source: source, peer: peer)
    }
  }

  /// Steps 2 and 3. The store gives the event its id; until then a placeholder stands for it.
  private func plan(_ body: [UInt8], source: SourceDefinition, label: String?, table: RouteTable)
    throws(IngestRefusal) -> Append
  {
    let now = seams.now()
    let reception = Reception.of(
      body, label: label, source: source, country: table.parts.country, receivedAt: now)
    let (event, key): (Event, DedupeKey?)
    switch reception {
    case .refused(let faults): throw IngestRefusal(faults)
    case .event(let read, let identity): (event, key) = (seams.isOwn(read) ? read.ownWrite : read, identity)
    }
    let suppression = seams.suppression(event.fields.customerPhone, now)
    return Append(
      event.content, dedupe: key?.entry(receivedAt: now), plan: table.plan(event, suppression: suppression),
      table: table,
      suppression: suppression)
  }

  private static func answer(to outcome: AppendOutcome) -> HTTPAnswer {
    let (id, status): (EventID, StaticString) =
      switch outcome {
      case .accepted(let event, _, _): (event.id, "accepted")
      case .duplicate(let id): (id, "duplicate")
      }
    var body: [UInt8] = []
    body.reserveCapacity(64)
    body.append(contentsOf: "{\"id\":\"".utf8)
    body.append(contentsOf: id.description.utf8)
    body.append(contentsOf: "\",\"status\":\"".utf8)
    status.withUTF8Buffer { body.append(contentsOf: $0) }
    body.append(contentsOf: "\"}\n".utf8)
    return HTTPAnswer(status: 200, body: body)
  }
}

// MARK: - Refusals

extension IngestController {
  /// Counts and logs a refusal under a known source. What could not be stored is not counted: nothing of it is kept,
  /// and the sender comes again.
  private func refuse(_ fault: IngestRefusal, source: String, peer: String, quarantined: Bool = false) -> HTTPAnswer {
    if fault.status != 503 { seams.refuse(Refusal(source: source, quarantined: quarantined)) }
    if log.takes(.warning) {
      var line = LogLine(time: seams.now(), level: .warning, event: "refused")
      line.field("source", source)
      line.field("status", Int64(fault.status))
      line.field("reason", fault.code)
      line.field("peer", peer.isEmpty ? nil : peer)
      line.field("quarantined", quarantined ? "yes" : nil)
      log.write(line)
    }
    return fault.answer
  }

  private func logStoreFault(_ error: StoreError, source: String) {
    guard log.takes(.error) else { return }
    var line = LogLine(time: seams.now(), level: .error, event: "store_failed")
    line.field("source", source)
    line.field("reason", error.code)
    line.field("msg", error.description)
    log.write(line)
  }
}
