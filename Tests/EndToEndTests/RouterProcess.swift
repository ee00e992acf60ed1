// The real binary, as its users run it: started in a folder of its own, asked over its addresses, stopped or killed.

import DivertCore
import DivertTransport
import Foundation
import Synchronization

/// A folder with a `routes.yaml`, secrets and data, and the router that runs on it.
final class RouterProcess: Sendable {
  /// What a command printed and how it ended.
  struct Output: Sendable {
    var status: Int32
    var out: String
    var err: String
  }

  struct Failure: Error, CustomStringConvertible { var description: String }

  private struct Running {
    var process: Process
    var ingest: String
    var operatorAddress: String
  }

  let folder: URL
  private let sandbox: Bool
  private let running = Mutex<Running?>(nil)

  /// Writes the folder; nothing runs yet.
  init(config: String, secrets: [String: String] = [:], sandbox: Bool = false) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("divert-\(UUID().uuidString)")
    self.sandbox = sandbox
    let secretsFolder = folder.appendingPathComponent("secrets")
    try FileManager.default.createDirectory(at: secretsFolder, withIntermediateDirectories: true)
    try config.write(to: folder.appendingPathComponent("routes.yaml"), atomically: true, encoding: .utf8)
    for (name, value) in secrets {
      try value.write(to: secretsFolder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
  }

  deinit {
    running.withLock { $0?.process.terminate() }
    try? FileManager.default.removeItem(at: folder)
  }

  /// Puts another `routes.yaml` in place, by rename; a running router takes it up by itself.
  func write(config: String) throws {
    try config.write(to: folder.appendingPathComponent("routes.yaml"), atomically: true, encoding: .utf8)
  }

  var data: URL { folder.appendingPathComponent(sandbox ? "data/sandbox" : "data") }

  /// The binary that the tests were built with.
  static let binary: URL = {
    let here = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
    let candidates = [bundle, here, here.deletingLastPathComponent()].compactMap { $0 }
    let found = candidates.map { $0.appendingPathComponent("divert") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    return found ?? here.appendingPathComponent("divert")
  }()

  // MARK: Start and stop

  /// Starts the router on free ports and returns when it says that it is up.
  func start(_ more: [String] = [], environment: [String: String] = [:]) async throws {
    let process = Process()
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, given in given }
    process.executableURL = Self.binary
    process.currentDirectoryURL = folder
    process.arguments =
      ["serve", "--listen", "127.0.0.1:0", "--operator", "127.0.0.1:0"] + (sandbox ? ["--sandbox"] : []) + more
    let (out, log) = (Pipe(), folder.appendingPathComponent("log"))
    if !FileManager.default.fileExists(atPath: log.path) {
      _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    }
    let logHandle = try FileHandle(forWritingTo: log)
    try logHandle.seekToEnd()
    process.standardOutput = out
    process.standardError = logHandle
    try process.run()
    let banner = try await Self.banner(out.fileHandleForReading)
    guard let ingest = Self.address(in: banner, after: "post events to"),
      let operatorAddress = Self.address(in: banner, after: "operator address")
    else {
      process.waitUntilExit()
      throw Failure(description: "the router did not start: \(banner)\n\(self.log)")
    }
    let running = Running(process: process, ingest: ingest, operatorAddress: operatorAddress)
    self.running.withLock { $0 = running }
  }

  /// Reads until the line that suggests `status`, or the end.
  private static func banner(_ handle: FileHandle) async throws -> String {
    try await background {
      var text = ""
      while true {
        let chunk = handle.availableData
        text += String(decoding: chunk, as: UTF8.self)
        if chunk.isEmpty || text.contains(" status\n") { return text }
      }
    }
  }

  private static func address(in banner: String, after label: String) -> String? {
    banner.split(separator: "\n").first { $0.contains(label) }?
      .split(separator: " ").first { $0.hasPrefix("http") }.map(String.init)
  }

  /// Runs `serve` with these arguments; returns what it said as it refused to start. One that starts is stopped again: its
  /// status is 0 and `out` is its start-up message.
  func tryStart(_ arguments: [String], environment: [String: String] = [:]) async throws -> Output {
    let process = Process()
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, given in given }
    process.executableURL = Self.binary
    process.currentDirectoryURL = folder
    process.arguments = ["serve", "--operator", "127.0.0.1:0", "--listen", "127.0.0.1:0"] + arguments
    let (out, err) = (Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = err
    try process.run()
    let banner = try await Self.banner(out.fileHandleForReading)
    process.terminate()
    let said = try await background { String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
    process.waitUntilExit()
    return Output(status: process.terminationStatus, out: banner, err: said)
  }

  /// The running router's process id; 0 while none runs.
  var pid: Int32 { running.withLock { $0?.process.processIdentifier } ?? 0 }

  /// SIGTERM; returns the exit status.
  @discardableResult
  func terminate() async throws -> Int32 {
    guard let running = running.withLock({ $0.take() }) else { return 0 }
    running.process.terminate()
    return try await background {
      running.process.waitUntilExit()
      return running.process.terminationStatus
    }
  }

  /// SIGKILL, as a crash would; returns when the process is gone.
  func crash() async throws {
    guard let running = running.withLock({ $0.take() }) else { return }
    kill(running.process.processIdentifier, SIGKILL)
    try await background { running.process.waitUntilExit() }
  }

  /// Everything that the router logged so far.
  var log: String { (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? "" }

  // MARK: Asking

  /// The ingest address without the source's key.
  var ingest: String { running.withLock { $0?.ingest } ?? "" }
  var operatorAddress: String { running.withLock { $0?.operatorAddress } ?? "" }
  /// `http://host:port` of the ingest address.
  var origin: String { ingest.components(separatedBy: "/in/")[0] }

  /// Posts an event to the source `doubletick`.
  func post(_ body: JSONValue, key: String) async throws -> (status: Int, answer: JSONValue) {
    try await request("POST", origin + "/in/doubletick/" + key, body: body.encoded())
  }

  func get(_ path: String) async throws -> (status: Int, answer: JSONValue) {
    try await request("GET", operatorAddress + path)
  }

  func request(
    _ method: String, _ url: String, body: [UInt8] = [],
    headers: [String] = ["Content-Type: application/json", "X-Divert-Request: 1"]
  ) async throws -> (status: Int, answer: JSONValue) {
    let result = try await background {
      CurlTransport.perform(
        TransferRequest(
          token: 0, method: method, url: url, headers: headers, body: body, connectTimeout: .seconds(5),
          totalTimeout: .seconds(30), network: .private))
    }
    guard let status = result.status else {
      throw Failure(description: result.failure?.sentence ?? "no answer")
    }
    return (status, (try? JSONValue.parse(result.body)) ?? .string(String(decoding: result.body, as: UTF8.self)))
  }

  /// Runs a command of the binary in the folder.
  func divert(_ arguments: String..., input: String? = nil) async throws -> Output {
    try await divert(arguments, input: input)
  }

  func divert(_ arguments: [String], input: String? = nil) async throws -> Output {
    let process = Process()
    process.executableURL = Self.binary
    process.currentDirectoryURL = folder
    process.arguments = arguments
    let (out, err) = (Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = err
    process.standardInput = try input.map(pipe) ?? FileHandle.nullDevice
    try process.run()
    async let outText = background { String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
    async let errText = background { String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
    let (one, two) = try await (outText, errText)
    process.waitUntilExit()
    return Output(status: process.terminationStatus, out: one, err: two)
  }

  private func pipe(_ text: String) throws -> Pipe {
    let pipe = Pipe()
    try pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try pipe.fileHandleForWriting.close()
    return pipe
  }
}

/// Runs blocking work on a thread that may block.
func background<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Swift.Result(catching: work)) }
  }
}
