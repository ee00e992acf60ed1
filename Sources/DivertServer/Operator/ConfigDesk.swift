// Where a command that edits the configuration goes: to the router that runs with these files, else to the files themselves.

import DivertCore
import Foundation

package enum ConfigDesk: Sendable {
  case router(OperatorChannel)
  case files(ConfigCommands)

  /// With `operator` the router there. Else the one that holds the data folder, if the routes file at `path` is its own; where it is
  /// not, or nobody answers, the files here, which a router that watches them takes up.
  package static func open(
    path: String, operator: String?, data: String?, key: String?
  ) async throws -> ConfigDesk {
    var options = ServeOptions()
    if let data { options.data = data }
    if let address = `operator` {
      return .router(try OperatorChannel.open(options, address: address, usual: nil, key: key))
    }
    guard let channel = try? OperatorChannel.running(options, address: nil, key: key),
      let answer = try? await channel.send(OperatorRequest("GET", "/api/config")), answer.isSuccess,
      let theirs = try? JSONValue.parse(answer.body)["path"]?.string, let own = realpath(path, nil)
    else { return .files(ConfigCommands(path: path)) }
    defer { free(own) }
    return theirs == String(cString: own) ? .router(channel) : .files(ConfigCommands(path: path))
  }

  /// The answer, a refusal too. Throws where the router cannot be reached.
  package func send(_ request: OperatorRequest) async throws(OperatorFailure) -> (status: Int, body: [UInt8]) {
    switch self {
    case .router(let channel):
      var request = request
      request.who = request.who ?? Self.user
      let answer = try await channel.send(request)
      return (answer.status, answer.body)
    case .files(let commands):
      let answer = commands.handle(request)
      if case .whole(let bytes) = answer.body { return (answer.status, bytes) }
      return (answer.status, [])
    }
  }

  /// Who gives the order, by the system's name.
  package static var user: String? {
    if let entry = getpwuid(getuid()) { return String(cString: entry.pointee.pw_name) }
    return ProcessInfo.processInfo.environment["USER"].flatMap { $0.isEmpty ? nil : $0 }
  }
}
