// Standard Webhooks signatures (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, one for each
// secret.

import Crypto
import FoundationEssentials

enum RequestSigning {
  /// Adds `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature` where the target signs. Masked, the
  /// signature is named, not made.
  static func sign(
    _ request: inout RenderedRequest, _ target: TargetDefinition, id: String, at time: Timestamp,
    _ context: RenderContext
  ) throws(RenderFault) {
    guard let signing = target.signing else { return }
    let seconds = String(CivilTime.floorDivide(time.milliseconds, 1000).0)
    request.set("webhook-id", id)
    request.set("webhook-timestamp", seconds)
    if context.isMasked {
      request.set("webhook-signature", "(made when it is sent)")
      return
    }
    var signatures: [String] = []
    for secret in signing.secrets {
      let key = try key(try context.text(secret) ?? "", target.name)
      signatures.append(signature(id: id, timestamp: seconds, body: request.body, key: key))
    }
    request.set("webhook-signature", signatures.joined(separator: " "))
  }

  static func signature(id: String, timestamp: String, body: [UInt8], key: [UInt8]) -> String {
    var text = Array((id + "." + timestamp + ".").utf8)
    text += body
    return "v1," + Base64.encoded(Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key))))
  }

  /// The bytes of `whsec_<base64>`; the prefix may be left out.
  private static func key(_ secret: String, _ target: String) throws(RenderFault) -> [UInt8] {
    let text = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
    guard let key = Base64.decoded(text), !key.isEmpty else {
      throw RenderFault(
        "signing_secret_invalid", "the signing secret of target `\(target)` must be `whsec_` and base64 after it")
    }
    return key
  }
}

/// RFC 4648, section 4.
enum Base64 {
  static func encoded(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
  /// Nil for anything that is no base64.
  static func decoded(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map(Array.init) }
}
