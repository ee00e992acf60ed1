// Vendors are data: the router's code knows none of them by name.

import Foundation
import Testing

@testable import DivertConfig

@Suite("Vendors' names") struct VendorNameTests {
  private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
  /// Words as well as types; the source of events and its channel; and a cloud whose addresses are refused.
  private static let others: Set = ["backend", "make", "teams", "doubletick", "whatsapp", "google"]

  @Test("no vendor stands in the code", arguments: [("/Sources/", 200), ("/Plugins/", 0)])
  func names(_ folder: String, _ least: Int) throws {
    let parts = Set(Presets.names.map { String($0.split(separator: "_")[0]) }).subtracting(Self.others)
    let files = try FileManager.default.subpathsOfDirectory(atPath: Self.root + folder).filter {
      $0.hasSuffix(".swift")
    }
    #expect(parts.count > 12 && files.count > least)
    for file in files {
      let text = try String(contentsOfFile: Self.root + folder + file, encoding: .utf8)
      for line in text.split(separator: "\n") {
        let words = Set(line.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        #expect(words.isDisjoint(with: parts), "\(file): \(line)")
      }
    }
  }

  @Test("every file of the folder is a target type, with its own text") func files() throws {
    let folder = Self.root + "/Sources/DivertConfig/Presets/"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }.sorted()
    #expect(files == Presets.names.map { $0 + ".yaml" })
    for file in files {
      let text = try String(contentsOfFile: folder + file, encoding: .utf8)
      #expect(Presets.text(of: String(file.dropLast(5))) == text, "\(file)")
    }
  }
}
