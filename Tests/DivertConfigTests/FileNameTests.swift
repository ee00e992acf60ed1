// Files that routes.yaml names: a check says which of them are not there.
import FoundationEssentials
import Testing

@testable import DivertConfig

@Suite struct FileNameTests {
  @Test("a certificate or key that is not beside the file is a warning")
  func absentFiles() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/divert-files-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let text = "version: 1\nserver: { listen: { tls: { certificate: chain.pem, key: key.pem } } }\n"
    #expect(FileManager.default.createFile(atPath: folder + "/routes.yaml", contents: Data(text.utf8)))
    #expect(FileManager.default.createFile(atPath: folder + "/chain.pem", contents: Data()))
    let result = ConfigLoader.load(path: folder + "/routes.yaml")
    #expect(result.diagnostics.map { "\($0.line):\($0.column) \($0.code)" } == ["2:57 absent_file"])
    #expect(result.table != nil)
    #expect(ConfigLoader.load(text: text, file: "routes.yaml").diagnostics.isEmpty)
  }
}
