// How the command line reaches the operator interface: over HTTP while a router runs, in-process while none does.

import DivertCore
import DivertStore
import FoundationEssentials
import DivertTransport

/// Where a command's requests go.
package enum OperatorChannel: Sendable {
  /// `http://127.0.0.1:8081`, and the key where one is needed.
  case running(base: String, key: String?)
  /// No router runs: the data folder is held by this process.
  case direct(OfflineRouter)

  /// The whole answer: status and document.
  package struct Answer: Sendable {
    package var status: Int
    package var body: [UInt8]
    package var isSuccess: Bool { (200..<300).contains(status) }
  }

  /// Finds the router: at `address` where one is given; else by the lock of the data folder (the live one, then the
  /// sandbox's). Where none holds a lock, a folder with a store is opened directly; where there is no store either, the
  /// router is taken to be elsewhere, at `usual` (the environment's), if that is set.
  package static func open(
    _ options: ServeOptions, address: String?, usual: String?, key: String?
  ) throws -> OperatorChannel {
    if let channel = try running(options, address: address, key: key) { return channel }
    let existing = candidates(options).first {
      FileManager.default.fileExists(atPath: $0.dataFolder + "/" + SQLiteStore.fileName)
    }
    if existing == nil, let usual { return .running(base: base(usual), key: key) }
    return .direct(try OfflineRouter.open(existing ?? options))
  }

  /// The router that is at `address`, or that holds the data folder (the live one, then the sandbox's); nil: none does.
  package static func running(_ options: ServeOptions, address: String?, key: String?) throws -> OperatorChannel? {
    if let address { return .running(base: base(address), key: key) }
    for candidate in candidates(options) {
      guard let holder = try DataLock.holder(folder: candidate.dataFolder) else { continue }
      guard let address = holder.operatorAddress else {
        throw OperatorFailure(
          503, "starting",
          "process \(holder.pid) works in \(candidate.dataFolder) and has no operator address (yet): try again")
      }
      return .running(base: base(address), key: key)
    }
    return nil
  }

  private static func candidates(_ options: ServeOptions) -> [ServeOptions] {
    options.sandbox ? [options] : [options, sandbox(options)]
  }

  private static func sandbox(_ options: ServeOptions) -> ServeOptions {
    var options = options
    options.sandbox = true
    return options
  }

  /// Gives the data folder free, if this process holds it.
  /// - Throws: what could not be written meanwhile.
  package func close() throws { if case .direct(let router) = self { try router.close() } }

  /// The folder that is worked on directly; nil while a router runs.
  package var folder: String? { if case .direct(let router) = self { router.folder } else { nil } }

  /// `127.0.0.1:8081` and `http://127.0.0.1:8081/` mean the same.
  private static func base(_ address: String) -> String {
    let bare = address.hasSuffix("/") ? String(address.dropLast()) : address
    return bare.contains("://") ? bare : "http://" + bare
  }

  /// Sends one request and waits for its answer. With `onLine` the lines of a streamed answer go there as they come (also
  /// those of a refusal), and the body is empty.
  package func send(
    _ request: OperatorRequest, onLine: (@Sendable ([UInt8]) -> Void)? = nil
  ) async throws(OperatorFailure) -> Answer {
    switch self {
    case .direct(let router): return await Self.collect(await router.api.handle(request), onLine)
    case .running(let base, let key): return try await Self.transfer(request, base, key, onLine)
    }
  }

  private static func collect(_ response: OperatorResponse, _ onLine: (@Sendable ([UInt8]) -> Void)?) async -> Answer {
    switch response.body {
    case .whole(let bytes): return Answer(status: response.status, body: bytes)
    case .lines(let lines):
      for await line in lines { onLine?(line) }
      return Answer(status: response.status, body: [])
    }
  }

  // MARK: Over HTTP

  private static func transfer(
    _ request: OperatorRequest, _ base: String, _ key: String?, _ onLine: (@Sendable ([UInt8]) -> Void)?
  ) async throws(OperatorFailure) -> Answer {
    var headers = ["X-Divert-Request: 1", "Accept: application/json"]
    if !request.body.isEmpty { headers.append("Content-Type: application/json") }
    if let who = request.who { headers.append("X-Divert-Who: " + percent(who)) }
    if let version = request.ifMatch { headers.append("If-Match: \(version)") }
    if let key { headers.append("Authorization: Bearer \(key)") }
    let transfer = TransferRequest(
      token: 0, method: request.method, url: base + request.path + queryText(request.query), headers: headers,
      body: request.body, connectTimeout: .seconds(5), totalTimeout: .zero, network: .private)
    let outcome = try? await Blocking.run { LineCutter.perform(transfer, onLine: onLine) }
    guard let (result, body) = outcome, let status = result.status, result.failure == nil else {
      let why = outcome?.0.failure?.sentence ?? "no answer"
      throw OperatorFailure(
        503, "unreachable",
        "the router cannot be reached at \(base) (\(why)): is it running, and is --operator (DIVERT_OPERATOR) its address?"
      )
    }
    return Answer(status: status, body: body)
  }

  private static func queryText(_ query: [String: String]) -> String {
    if query.isEmpty { return "" }
    return "?"
      + query.sorted { $0.key < $1.key }.map { percent($0.key) + "=" + percent($0.value) }.joined(separator: "&")
  }

  /// Everything but RFC 3986's unreserved characters, percent-encoded.
  static func percent(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF")
    var out = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
        out.unicodeScalars.append(Unicode.Scalar(byte))
      default: out += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
      }
    }
    return out
  }
}

/// Cuts a streamed answer into lines.
private enum LineCutter {
  /// Performs the transfer on the calling thread. Without `onLine` the whole body is returned, however long it is.
  static func perform(
    _ request: TransferRequest, onLine: (@Sendable ([UInt8]) -> Void)?
  ) -> (TransferResult, [UInt8]) {
    var rest: [UInt8] = []
    let result = CurlTransport.perform(request) { chunk in
      rest += chunk
      guard let onLine else { return true }
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        onLine(Array(rest[..<end]))
        rest.removeSubrange(...end)
      }
      return true
    }
    return (result, rest)
  }
}
