// RS256: an RSA key out of a secret, and the signature of a JWT bearer assertion (RFC 7515, RFC 7523).

import Crypto
import CryptoExtras
import DivertCore
import FoundationEssentials

enum AssertionSigner {
  /// Signs with RSASSA-PKCS1-v1_5 and SHA-256. Line breaks of the PEM may stand as `\n`, as they do in variables.
  @Sendable static func sign(_ pem: String, _ text: [UInt8]) throws(RenderFault) -> [UInt8] {
    let pem =
      pem.contains("\n") ? pem : pem.split(separator: "\\n", omittingEmptySubsequences: false).joined(separator: "\n")
    let key: _RSA.Signing.PrivateKey
    do { key = try _RSA.Signing.PrivateKey(pemRepresentation: pem) } catch {
      throw RenderFault("private_key_invalid", "the private_key is no RSA key in PEM (BEGIN PRIVATE KEY)")
    }
    do { return Array(try key.signature(for: text, padding: .insecurePKCS1v1_5).rawRepresentation) } catch {
      throw RenderFault("private_key_invalid", "the private_key cannot sign: \(error)")
    }
  }
}
