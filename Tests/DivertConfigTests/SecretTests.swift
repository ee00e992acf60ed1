// Where secrets are looked for, in which order, and that nothing prints them.
import FoundationEssentials
import Testing

@testable import DivertConfig

@Suite struct SecretTests {
  private func withFolders(_ body: (_ credentials: String, _ folder: String) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.path + "/divert-secrets-\(UInt64.random(in: 0...UInt64.max))"
    defer { try? FileManager.default.removeItem(atPath: root) }
    for name in ["credentials", "folder"] {
      try FileManager.default.createDirectory(atPath: root + "/" + name, withIntermediateDirectories: true)
    }
    try body(root + "/credentials", root + "/folder")
  }

  private func write(_ text: String, _ path: String) {
    #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8)))
  }

  @Test("systemd's folder comes before the secrets folder, and that before the environment")
  func order() throws {
    try withFolders { credentials, folder in
      let store = SecretStore(
        folder: folder, environment: ["CREDENTIALS_DIRECTORY": credentials, "DIVERT_SECRET_CRM_TOKEN": "from env"])
      #expect(store.value("crm_token") == "from env")
      write("from folder\n", folder + "/crm_token")
      #expect(store.value("crm_token") == "from folder")
      write("from systemd\r\n", credentials + "/crm_token")
      #expect(store.value("crm_token") == "from systemd")
      write("renewed", credentials + "/crm_token")
      #expect(store.value("crm_token") == "renewed")
    }
  }

  @Test("an absent or empty secret, or one with a path for a name, is none")
  func absent() throws {
    try withFolders { credentials, folder in
      write("\n", folder + "/empty")
      write("outside", credentials + "/other")
      let store = SecretStore(folder: folder, environment: ["DIVERT_SECRET_BLANK": ""])
      for name in ["none", "empty", "blank", "", ".", "..", "../credentials/other", "a/b"] {
        #expect(store.value(name) == nil)
      }
    }
  }

  @Test("a description shows no value")
  func description() {
    let store = SecretStore(folder: nil, environment: ["DIVERT_SECRET_A": "hunter2"])
    #expect(store.value("a") == "hunter2")
    var dumped = ""
    dump(store, to: &dumped)
    #expect(!"\(store)\(String(reflecting: store))\(dumped)".contains("hunter2"))
    #expect(SecretStore.variable("crm-token.v2") == "DIVERT_SECRET_CRM_TOKEN_V2")
  }
}
