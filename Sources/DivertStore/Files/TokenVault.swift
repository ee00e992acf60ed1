// Refresh tokens that vendors gave in place of the configured ones: one encrypted file each, on disk before they are used.

package import DivertCore
import Crypto
import FoundationEssentials
import Glibc

/// A refresh token that is not the one of the configuration.
package struct KeptToken: Sendable, Hashable {
  package var refresh: String
  /// `TokenVault.mark` of the secret that was configured when it came; another one now is newer than it.
  package var configured: String

  package init(refresh: String, configured: String) {
    self.refresh = refresh
    self.configured = configured
  }
}

/// The folder `credentials` of the data folder. Files are AES-256-GCM under a key that HKDF-SHA256 derives from the
/// operator's storage key and the file's own salt; the credential's name is authenticated with them.
package struct TokenVault: Sendable {
  /// The shortest storage key.
  package static let shortestKey = 16
  private static let head = Array("divert token 1\n".utf8)
  private static let saltLength = 32
  private static let largest = 1 << 20
  private let folder: String

  package init(folder: String) { self.folder = folder }

  /// A secret's fingerprint; empty for none.
  package static func mark(_ secret: String?) -> String {
    guard let secret else { return "" }
    return SHA256.hash(data: Array(secret.utf8)).map { byte in
      String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
  }

  /// Puts a token on disk in place of the one before; it is there when this returns.
  package func keep(_ token: KeptToken, of credential: String, key: String) throws(StoreError) {
    try check(key)
    let salt = Self.random(Self.saltLength)
    let sealed: AES.GCM.SealedBox
    do {
      sealed = try AES.GCM.seal(
        Self.encoded(token), using: Self.derive(key, salt), authenticating: Self.label(credential))
    } catch { throw StoreError(code: "io", description: "a refresh token cannot be encrypted: \(error)") }
    guard let combined = sealed.combined else {
      throw StoreError(code: "io", description: "a refresh token cannot be encrypted")
    }
    let changed = try DurableFile.makeFolders(folder)
    try DurableFile.write(Self.head + salt + Array(combined), to: path(credential))
    for one in [folder] + changed { try DurableFile.sync(one) }
  }

  /// The token that is kept; nil: none is. Codes `storage_key_missing` and `storage_key_wrong` say why one that is there
  /// cannot be read.
  package func read(_ credential: String, key: String?) throws(StoreError) -> KeptToken? {
    let path = path(credential)
    guard DurableFile.isFile(path) else { return nil }
    let bytes = try DurableFile.read(path, limit: Self.largest)
    guard let key else {
      throw StoreError(
        code: "storage_key_missing",
        description: "its refresh token is kept encrypted, and the secret divert_storage_key is not there to read it")
    }
    try check(key)
    let start = Self.head.count + Self.saltLength
    guard bytes.starts(with: Self.head), bytes.count > start,
      let box = try? AES.GCM.SealedBox(combined: bytes[start...]),
      let plain = try? AES.GCM.open(
        box, using: Self.derive(key, Array(bytes[Self.head.count..<start])), authenticating: Self.label(credential)),
      let token = Self.decoded(Array(plain))
    else {
      throw StoreError(
        code: "storage_key_wrong",
        description:
          "its refresh token in \(path) cannot be read: the secret divert_storage_key is not the one that it was kept "
          + "with, or the file is damaged")
    }
    return token
  }

  /// The token requests of the last time, in milliseconds since 1970 by credential, as `keep(mints:)` left them; empty
  /// where there is no such file or it cannot be read: then they are counted anew.
  package func mints() -> [String: [Timestamp]] {
    guard let bytes = try? DurableFile.read(mintsPath, limit: Self.largest),
      let object = (try? JSONValue.parse(bytes))?.object
    else { return [:] }
    var mints: [String: [Timestamp]] = [:]
    for member in object.members {
      mints[member.key] = member.value.array?.compactMap { $0.integer.map { Timestamp(milliseconds: $0) } }
    }
    return mints
  }

  /// Puts the times of token requests on disk, so that a restart does not begin to count anew.
  package func keep(mints: [String: [Timestamp]]) throws(StoreError) {
    var object = JSONObject()
    for (name, times) in mints.sorted(by: { $0.key < $1.key }) {
      object[name] = .array(times.map { .number($0.milliseconds) })
    }
    let changed = try DurableFile.makeFolders(folder)
    try DurableFile.write(JSONValue.object(object).encoded(), to: mintsPath)
    for one in [folder] + changed { try DurableFile.sync(one) }
  }

  /// No credential's name begins with a dot.
  private var mintsPath: String { folder + "/.mints.json" }

  private func check(_ key: String) throws(StoreError) {
    guard key.utf8.count < Self.shortestKey else { return }
    throw StoreError(
      code: "storage_key_short",
      description: "the secret divert_storage_key is shorter than \(Self.shortestKey) characters and could be guessed")
  }

  private func path(_ credential: String) -> String { folder + "/" + credential }

  private static func label(_ credential: String) -> [UInt8] { head + Array(credential.utf8) }

  private static func derive(_ key: String, _ salt: [UInt8]) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(data: Array(key.utf8)), salt: salt, info: Array("divert refresh tokens".utf8),
      outputByteCount: 32)
  }

  private static func random(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
  }

  private static func encoded(_ token: KeptToken) -> [UInt8] {
    let value: JSONValue = ["refresh_token": .string(token.refresh), "configured": .string(token.configured)]
    return value.encoded()
  }

  private static func decoded(_ bytes: [UInt8]) -> KeptToken? {
    guard let value = try? JSONValue.parse(bytes), let refresh = value.object?["refresh_token"]?.string else {
      return nil
    }
    return KeptToken(refresh: refresh, configured: value.object?["configured"]?.string ?? "")
  }
}
