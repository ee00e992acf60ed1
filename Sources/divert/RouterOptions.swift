// The flags that every command has, and the asking of a router: one request, its answer, its refusal as an exit status.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

/// Where the configuration, the data and the running router are. Each flag can be set in the environment instead.
struct RouterOptions: ParsableArguments {
  @Option(help: "The routes file (DIVERT_CONFIG; default routes.yaml).")
  var config: String?
  @Option(help: "The data folder (DIVERT_DATA; default data).")
  var data: String?
  @Option(help: "The router's operator address (DIVERT_OPERATOR; default: found by the data folder).")
  var `operator`: String?
  @Option(help: "The folder of secrets, one file each (DIVERT_SECRETS; default secrets beside the routes file).")
  var secrets: String?
  @Flag(help: "The sandbox: emulated targets, data in <data>/sandbox (DIVERT_SANDBOX=1).")
  var sandbox = false

  /// The flag, else the variable, else nil.
  static func value(_ flag: String?, _ variable: String) -> String? {
    flag ?? ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// As the router takes them.
  var serve: ServeOptions {
    var options = ServeOptions()
    options.config = Self.value(config, "DIVERT_CONFIG") ?? options.config
    options.data = Self.value(data, "DIVERT_DATA") ?? options.data
    options.operatorAddress = Self.value(`operator`, "DIVERT_OPERATOR") ?? options.operatorAddress
    options.secrets = Self.value(secrets, "DIVERT_SECRETS")
    options.sandbox = sandbox || ["1", "true", "yes"].contains(Self.value(nil, "DIVERT_SANDBOX") ?? "")
    return options
  }
}

/// Where a command's answer goes: sentences and tables for people, or the JSON as it is.
struct OutputOptions: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }
  @Option(help: "text or json.")
  var format = Format.text
}

/// What a command works with: a channel to the router, opened once, closed at the end.
struct Desk {
  let channel: OperatorChannel

  /// Opens the channel, runs the command, closes it. Refusals are printed and become the exit status.
  static func open(_ options: RouterOptions, _ body: (Desk) async throws -> Void) async throws {
    do {
      let usual = RouterOptions.value(nil, "DIVERT_OPERATOR")
      let key = RouterOptions.value(nil, "DIVERT_OPERATOR_KEY")
      let channel = try OperatorChannel.open(options.serve, address: options.operator, usual: usual, key: key)
      if let folder = channel.folder { Console.note("no router is running: working on \(folder) directly") }
      do { try await body(Desk(channel: channel)) } catch {
        // The first failure is the one to tell.
        try? channel.close()
        throw error
      }
      try channel.close()
    } catch let failure as OperatorFailure {
      throw Console.fail(failure)
    } catch let error as StoreError {
      throw Console.fail(OperatorFailure(503, error.code == "busy" ? "unreachable" : error.code, error.description))
    }
  }

  /// A question by its path and parameters.
  func get(_ path: String, _ query: [String: String?] = [:]) async throws -> JSONValue {
    try await answer(OperatorRequest("GET", path, query: query.compactMapValues { $0 }))
  }

  /// An order by its path and parameters.
  func post(_ path: String, _ members: [(String, JSONValue?)]) async throws -> JSONValue {
    let object = JSONObject(members.compactMap { key, value in value.map { JSONObject.Member(key: key, value: $0) } })
    return try await answer(OperatorRequest(post: path, .object(object), who: ConfigDesk.user))
  }

  /// An order by its path and parameters whose answer is a text.
  func text(_ path: String, _ members: [(String, JSONValue?)]) async throws -> String {
    let object = JSONObject(members.compactMap { key, value in value.map { JSONObject.Member(key: key, value: $0) } })
    let answer = try await channel.send(OperatorRequest(post: path, .object(object), who: ConfigDesk.user))
    if answer.isSuccess { return String(decoding: answer.body, as: UTF8.self) }
    throw Self.failure((try? JSONValue.parse(answer.body)) ?? .null, answer.status)
  }

  private func answer(_ request: OperatorRequest) async throws -> JSONValue {
    let answer = try await channel.send(request)
    let json = (try? JSONValue.parse(answer.body)) ?? .null
    if answer.isSuccess { return json }
    throw Self.failure(json, answer.status)
  }

  /// The refusal in an answer.
  static func failure(_ json: JSONValue, _ status: Int) -> OperatorFailure {
    let error = json["error"]
    let faults = (error?["faults"]?.array ?? []).compactMap(\.string).map { "\n  \($0)" }.joined()
    return OperatorFailure(
      status, error?["code"]?.string ?? "failed",
      (error?["message"]?.string ?? "the router answered \(status)") + faults)
  }
}
