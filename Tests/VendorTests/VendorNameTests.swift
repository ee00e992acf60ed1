// Vendors are data: the router's code knows none of them by name.

import Foundation
import Testing

@testable import DivertConfig

@Suite("Vendors' names") struct VendorNameTests {
  private static let folder =
    #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/Sources/"
  /// Words as well as types; the source of events and its channel; and a cloud whose addresses are refused.
  private static let others: Set = ["backend", "make", "teams", "doubletick", "whatsapp", "google"]

  @Test("no vendor stands in the code, but for the list of embedded files") func names() throws {
    let parts = Set(Presets.names.map { String($0.split(separator: "_")[0]) }).subtracting(Self.others)
    let files = try FileManager.default.subpathsOfDirectory(atPath: Self.folder).filter { $0.hasSuffix(".swift") }
    #expect(parts.count > 12 && files.count > 200)
    for file in files {
      let text = try String(contentsOfFile: Self.folder + file, encoding: .utf8)
      for line in text.split(separator: "\n") where !line.contains("PackageResources.") {
        let words = Set(line.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
        #expect(words.isDisjoint(with: parts), "\(file): \(line)")
      }
    }
  }
}
