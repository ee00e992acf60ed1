// Refresh tokens on disk: readable with their key alone, bound to their credential, whole or not at all.
import DivertCore
import Foundation
import Testing

@testable import DivertStore

@Suite struct TokenVaultTests {
  private static let key = "0123456789abcdef"

  private static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("divert-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appendingPathComponent("data/credentials").path)
  }

  private static func code(_ work: () throws -> Void) -> String? {
    do { try work() } catch { return (error as? StoreError)?.code ?? "\(error)" }
    return nil
  }

  @Test("what is kept is read again, replaced by the next, and nothing of it can be read in the file")
  func keeps() throws {
    try Self.withFolder { folder in
      let vault = TokenVault(folder: folder)
      #expect(try vault.read("crm", key: nil) == nil)
      for number in 1...3 {
        let token = KeptToken(refresh: "refresh-\(number)", configured: TokenVault.mark("first"))
        try vault.keep(token, of: "crm", key: Self.key)
        #expect(try vault.read("crm", key: Self.key) == token)
        let bytes = try #require(FileManager.default.contents(atPath: folder + "/crm"))
        #expect(bytes.range(of: Data("refresh".utf8)) == nil)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["crm"])
      let mode = try FileManager.default.attributesOfItem(atPath: folder + "/crm")[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test("no key, another key, a short key, another credential's file and a damaged one are told apart from none")
  func refuses() throws {
    try Self.withFolder { folder in
      let vault = TokenVault(folder: folder)
      try vault.keep(KeptToken(refresh: "r", configured: ""), of: "crm", key: Self.key)
      #expect(Self.code { _ = try vault.read("crm", key: nil) } == "storage_key_missing")
      #expect(Self.code { _ = try vault.read("crm", key: "fedcba9876543210") } == "storage_key_wrong")
      #expect(Self.code { _ = try vault.read("crm", key: "short") } == "storage_key_short")
      #expect(
        Self.code { try vault.keep(KeptToken(refresh: "r", configured: ""), of: "crm", key: "short") }
          == "storage_key_short")
      try FileManager.default.copyItem(atPath: folder + "/crm", toPath: folder + "/desk")
      #expect(Self.code { _ = try vault.read("desk", key: Self.key) } == "storage_key_wrong")
      var bytes = Array(try #require(FileManager.default.contents(atPath: folder + "/crm")))
      bytes[bytes.count - 1] ^= 1
      try Data(bytes).write(to: URL(fileURLWithPath: folder + "/crm"))
      #expect(Self.code { _ = try vault.read("crm", key: Self.key) } == "storage_key_wrong")
      try Data().write(to: URL(fileURLWithPath: folder + "/crm"))
      #expect(Self.code { _ = try vault.read("crm", key: Self.key) } == "storage_key_wrong")
    }
  }

  @Test("the times of token requests are read again; a damaged file counts as none")
  func mints() throws {
    try Self.withFolder { folder in
      let vault = TokenVault(folder: folder)
      #expect(vault.mints().isEmpty)
      let mints = ["crm": [1, 2].map { Timestamp(milliseconds: $0) }, "desk": []]
      try vault.keep(mints: mints)
      #expect(vault.mints() == mints)
      try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/.mints.json"))
      #expect(vault.mints().isEmpty)
    }
  }

  @Test("a secret's mark is the same for the same secret alone, and empty for none")
  func marks() {
    #expect(TokenVault.mark("a") == TokenVault.mark("a") && TokenVault.mark("a") != TokenVault.mark("b"))
    #expect(TokenVault.mark(nil) == "" && TokenVault.mark("a").count == 64)
  }
}
