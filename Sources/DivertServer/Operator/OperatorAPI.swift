// Every question and order of an operator, by method and path: one value-level interface, over HTTP and in-process alike.

import DivertCore

package struct OperatorAPI: Sendable {
  private let context: OperatorContext

  package init(_ context: OperatorContext) { self.context = context }

  /// Answers every request; what goes wrong is an answer too.
  package func handle(_ request: OperatorRequest) async -> OperatorResponse {
    do { return try await answer(request) } catch let failure as OperatorFailure {
      return failure.response
    } catch let error as StoreError {
      return OperatorFailure(503, "store_\(error.code)", error.description).response
    } catch {
      return OperatorFailure(500, "failed", "\(error)").response
    }
  }

  private func answer(_ request: OperatorRequest) async throws -> OperatorResponse {
    switch (request.method, request.path) {
    case ("GET", "/healthz"), ("HEAD", "/healthz"): return .text("ok\n")
    case ("GET", "/readyz"), ("HEAD", "/readyz"): return try await ready()
    case ("GET", "/metrics"): return try await metrics()
    case ("POST", "/api/send"): return try await SendCommand.run(context, OperatorInput(request))
    case ("GET", "/api/report"), ("POST", "/api/report"):
      return try await ReportCommand.run(context, OperatorInput(request))
    case ("GET", "/api/config"), ("GET", "/api/config/file"), ("GET", "/api/config/routes"),
      ("POST", "/api/config/edit"):
      return try await config(request)
    case ("GET", _): return .json(try await question(request))
    case ("POST", _): return .json(try await order(request))
    case ("DELETE", "/api/suppressions"):
      return .json(try await SuppressionCommands.remove(context, OperatorInput(request)))
    default: throw OperatorFailure(405, "method", "\(request.method) is not understood here: use GET or POST")
    }
  }

  // MARK: Questions

  private func question(_ request: OperatorRequest) async throws -> JSONValue {
    let input = try OperatorInput(request)
    let context = context
    switch request.path {
    case "/api/status", "/api/targets":
      let live = await context.live?.standing()
      let isStatus = request.path == "/api/status"
      let credentials = isStatus ? await CredentialsReport.make(context) : .null
      return try await Blocking.run {
        isStatus
          ? try StatusReport.make(context, live: live, credentials: credentials)
          : try TargetsReport.make(context, live: live)
      }
    case "/api/events": return try await Blocking.run { try EventsReport.make(context, input) }
    case "/api/configuration": return try await Blocking.run { try ConfigurationReport.make(context, input) }
    case "/api/credentials": return await CredentialsReport.make(context)
    case "/api/routes/counts": return try RouteCounts.make(context)
    case "/api/find":
      let stills = await StandStills(context)
      return try await Blocking.run { try FindReport.make(context, input, stills) }
    case "/api/promises": return try await Blocking.run { try PromiseReport.list(context, input) }
    case "/api/suppressions": return try await Blocking.run { try SuppressionCommands.list(context, input) }
    case "/api/record", "/api/record/head", "/api/record/verify", "/api/record/export":
      return try await Blocking.run { try Self.record(context, input, request.path) }
    case "/api/audit": return try await Blocking.run { try AuditReport.make(context) }
    case "/api/sources": return try await Blocking.run { try SourcesReport.list(context) }
    case "/api/sources/last": return try await Blocking.run { try SourcesReport.last(context, input) }
    case "/api/dead-letters": return try await Blocking.run { try DeadLetterReport.list(context, input) }
    case "/api/dead-letters/show": return try await Blocking.run { try DeadLetterReport.show(context, input) }
    case "/api/config/history": return try await Blocking.run { try ConfigChanges.history(context, input) }
    case "/api/config/history/show": return try await Blocking.run { try ConfigChanges.show(context, input) }
    case "/api/quarantine": return try await Blocking.run { try QuarantineCommands.list(context, input) }
    case "/api/sandbox/requests": return try SandboxCommands.requests(context, input)
    case "/api/sandbox/faults": return try SandboxCommands.faults(context)
    case "/api/quarantine/show": return try await Blocking.run { try QuarantineCommands.show(context, input) }
    default: throw unknown(request)
    }
  }

  private static func record(
    _ context: OperatorContext, _ input: OperatorInput, _ path: String
  ) throws -> JSONValue {
    switch path {
    case "/api/record/head": try RecordCommands.head(context)
    case "/api/record/verify": try RecordCommands.verify(context, input)
    case "/api/record/export": try RecordReport.export(context, input)
    default: try RecordReport.show(context, input)
    }
  }

  // MARK: Orders

  private func order(_ request: OperatorRequest) async throws -> JSONValue {
    let input = try OperatorInput(request)
    let context = context
    switch request.path {
    case "/api/cancel": return try await TargetCommands.cancel(context, input)
    case "/api/targets/pause": return try await TargetCommands.pause(context, input)
    case "/api/targets/resume": return try await TargetCommands.resume(context, input)
    case "/api/credentials/authorize", "/api/credentials/exchange", "/api/credentials/test":
      return try await CredentialCommands.run(context, input, request.path)
    case "/api/targets/drop-waiting": return try await DropWaiting.run(context, input)
    case "/api/config": return try await Blocking.run { try ConfigChanges.apply(context, input, request) }
    case "/api/config/rollback": return try await Blocking.run { try ConfigChanges.rollback(context, input, request) }
    case "/api/sandbox/faults": return try SandboxCommands.setFaults(context, input)
    case "/api/suppressions": return try await SuppressionCommands.add(context, input)
    case "/api/suppressions/remove": return try await SuppressionCommands.remove(context, input)
    case "/api/erase": return try await EraseCommand.run(context, input)
    case "/api/rerun": return try await RerunCommand.run(context, input)
    case "/api/backup": return try await Blocking.run { try BackupCommand.run(context, input) }
    case "/api/dead-letters/replay": return try await DeadLetterReplayer.run(context, input)
    case "/api/dead-letters/edit": return try await Blocking.run { try DeadLetterEdits.edit(context, input) }
    case "/api/dead-letters/drop": return try await DeadLetterEdits.drop(context, input)
    case "/api/quarantine/retry": return try await QuarantineCommands.retry(context, input)
    default: throw unknown(request)
    }
  }

  private func config(_ request: OperatorRequest) async throws -> OperatorResponse {
    guard let path = context.configPath else { throw unknown(request) }
    let keeper = context.live == nil ? nil : context.keeper
    return try await Blocking.run { (keeper.map(ConfigCommands.init) ?? ConfigCommands(path: path)).handle(request) }
  }

  private func unknown(_ request: OperatorRequest) -> OperatorFailure {
    .notFound("there is no \(request.method) \(request.path); docs/commands.md lists what there is")
  }

  // MARK: For machines

  /// 200 while the store can be read and its last commit did not fail; 503 otherwise, with the reason.
  private func ready() async throws -> OperatorResponse {
    if let trouble = await context.live?.trouble() { throw trouble }
    let store = context.store
    _ = try await Blocking.run { try store.targetStates() }
    return .text("ready\n")
  }

  private func metrics() async throws -> OperatorResponse {
    let context = context
    let live = await context.live?.standing() ?? [:]
    let attempts = await context.live?.attempts() ?? [:]
    var tokens: [String: TokenStanding] = [:]
    for name in context.live == nil ? [] : context.table()?.tokens.keys.sorted() ?? [] {
      tokens[name] = await context.credentials?.live?.standing(name)
    }
    let page = try await Blocking.run { [tokens] in
      try MetricsReport.make(context, live: live, attempts: attempts, tokens: tokens)
    }
    return .text(page, contentType: MetricsReport.contentType)
  }
}
