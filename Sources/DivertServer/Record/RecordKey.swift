// Signs extracts of the record (Ed25519, RFC 8032), and checks such a signature.

import Crypto
import DivertCore
import DivertStore

/// The key of a router: the secret `divert_record_key` where there is one, else the data folder's own.
struct RecordKey: Sendable {
  static let secretName = "divert_record_key"

  private let key: Curve25519.Signing.PrivateKey

  /// `ed25519:` and 64 hexadecimal digits: what others check signatures with.
  var publicText: String { "ed25519:" + HexBytes.text(Array(key.publicKey.rawRepresentation)) }

  /// - Parameter secret: looks a secret up by its name.
  static func load(folder: String, secret: (String) -> String?) throws -> RecordKey {
    if let text = secret(secretName) {
      let line = text.split(whereSeparator: \.isWhitespace).joined()
      guard let bytes = HexBytes.decode(line), bytes.count == 32 else {
        throw OperatorFailure.conflict(
          "record_key", "the secret \(secretName) is no key: give 64 hexadecimal digits, as of `openssl rand -hex 32`")
      }
      return try RecordKey(bytes)
    }
    return try RecordKey(
      RecordKeyFile.read(folder: folder) { Array(Curve25519.Signing.PrivateKey().rawRepresentation) })
  }

  private init(_ bytes: [UInt8]) throws { key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes) }

  /// 128 hexadecimal digits.
  func sign(_ bytes: [UInt8]) throws -> String { HexBytes.text(Array(try key.signature(for: bytes))) }

  /// Whether `signature` is `key`'s over `bytes`; false, too, where either cannot be read.
  static func isValid(_ signature: String, of bytes: [UInt8], by key: String) -> Bool {
    guard key.hasPrefix("ed25519:"), let raw = HexBytes.decode(key.dropFirst(8)),
      let signature = HexBytes.decode(signature),
      let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw)
    else { return false }
    return key.isValidSignature(signature, for: bytes)
  }
}
