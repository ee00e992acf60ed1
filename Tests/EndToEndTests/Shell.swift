// Commands as a reader of the documentation types them.

import Foundation

extension RouterProcess {
  /// What a shell prints, `divert` being the binary under test: standard output and error as they come.
  static func shell(_ command: String, in folder: URL) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.currentDirectoryURL = folder
    process.arguments = ["-c", command]
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    process.environment = ["PATH": binary.deletingLastPathComponent().path + ":" + path]
    let out = Pipe()
    (process.standardOutput, process.standardError) = (out, out)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let said = try await background { String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
    process.waitUntilExit()
    return said
  }
}
