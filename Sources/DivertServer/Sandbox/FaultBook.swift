// The failures that the sandbox knows of every target, beside those that its preset names.

import DivertConfig
import DivertCore
import NIOHTTP1

enum FaultBook {
  /// Refused at connecting: the one that happens before the emulator is reached.
  static let refused = "refused"
  /// Beside every status from 200 to 599.
  static let names = ["401", "429", "500", "503", "refused", "reset", "slow", "timeout"]

  /// Whether every target has it.
  static func isKnown(_ name: String) -> Bool { names.contains(name) || status(name) != nil }

  /// The fault of this name: the target's own, else the general one; nil where there is none.
  static func fault(_ name: String, of target: SandboxTarget) -> SandboxFault? {
    if let own = target.faults[name] { return own }
    switch name {
    // Longer than the request may take.
    case "timeout": return SandboxFault(hangsUp: true, delay: target.timeout + .seconds(5))
    case "slow": return SandboxFault(delay: .milliseconds(min(5000, max(1, target.timeout.milliseconds / 2))))
    case "reset": return SandboxFault(hangsUp: true)
    default: return status(name).map(answer)
    }
  }

  private static func status(_ name: String) -> Int? {
    name.utf8.count == 3 ? Int(name).flatMap { (200...599).contains($0) ? $0 : nil } : nil
  }

  private static func answer(_ status: Int) -> SandboxFault {
    let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
    let headers = status == 429 ? [HTTPHeader("retry-after", "1")] : []
    return SandboxFault(status: status, headers: headers, body: ["error": .string(reason)])
  }
}
