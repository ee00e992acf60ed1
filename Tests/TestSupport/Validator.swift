// Programs of others that judge what Divert makes: scripts/setup puts them beside the build, scripts/test on PATH.

internal import Foundation
package import Testing

/// A script of `scripts/` that judges files and prints one line a verdict.
package struct Validator: Sendable {
  package struct Failure: Error, CustomStringConvertible { package var description: String }

  private let name: String
  private let path: String?

  package init(_ name: String) {
    self.name = name
    path = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":")
      .map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Tests that need it are left out where it is not.
  package var isThere: ConditionTrait {
    .enabled(if: path != nil, "\(name) is not on PATH; scripts/test puts it there")
  }

  /// What it prints about these files, line by line. Fails where it fails.
  package func lines(_ files: [String]) throws -> [[UInt8]] {
    guard let path else { throw Failure(description: "there is no \(name)") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = files
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let said = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    if process.terminationStatus != 0 {
      throw Failure(description: "\(name) ended with status \(process.terminationStatus)")
    }
    return [UInt8](said).split(separator: UInt8(ascii: "\n")).map(Array.init)
  }
}
