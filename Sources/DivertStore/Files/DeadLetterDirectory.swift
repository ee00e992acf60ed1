// Step 11 of the line: dead letters as files that a person can read, mend, copy and replay. Written whole or not at
// all.

package import DivertCore
import Glibc

/// `data/dead-letters`: `<target>/<date>/<time>-<delivery id>.json`, date and time of the planned due time in UTC, so
/// that a letter that is written again gets the same name. Letters that were dealt with lie in `replayed/` and
/// `dropped/` in the same order. Any `*.json` beneath it is taken for a letter; hidden files are not. May be used
/// from any thread.
package struct DeadLetterDirectory: Sendable {
  package let path: String

  /// What became of a letter that left the directory proper.
  package enum Shelf: String, Sendable, CaseIterable {
    case replayed
    case dropped
  }

  /// The folder is made with the first letter.
  package init(path: String) { self.path = path }

  /// Writes letters; when it returns, all are on disk under their names. One of a delivery that has a letter replaces
  /// it.
  /// - Returns: their paths, in the same order.
  /// - Throws: with some of them perhaps written; writing all again is right.
  @discardableResult
  package func write(_ letters: [DeadLetter]) throws(StoreError) -> [String] {
    var changed: Set<String> = []
    var paths: [String] = []
    for letter in letters {
      let file = file(of: letter)
      let folder = DurableFile.folder(of: file)
      if changed.insert(folder).inserted {
        changed.formUnion(try DurableFile.makeFolders(folder))
        // Also when they were there: whoever made them may have been killed before it could sync.
        changed.formUnion([DurableFile.folder(of: folder), path])
      }
      try DurableFile.write(letter.encoded(), to: file)
      paths.append(file)
    }
    // Inner folders first, so that a name never appears before what it leads to.
    for folder in changed.sorted(by: { $0.utf8.count > $1.utf8.count }) { try DurableFile.sync(folder) }
    return paths
  }

  /// Where a letter's file belongs.
  package func file(of letter: DeadLetter) -> String {
    let plan = letter.delivery.plan
    let due = plan.due.iso8601
    let time = due.dropFirst(11).prefix(8).split(separator: ":").joined(separator: "-")
    return "\(folder(of: plan.target))/\(due.prefix(10))/\(time)-\(letter.delivery.id).json"
  }

  /// A target's folder.
  package func folder(of target: String) -> String { path + "/" + Self.safe(target) }

  /// A name that is one path component whatever the target is called, and no shelf's.
  private static func safe(_ name: String) -> String {
    var bytes: [UInt8] = []
    let isShelf = Shelf(rawValue: name) != nil
    for (place, byte) in name.utf8.enumerated() {
      let isPlain: Bool =
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        case UInt8(ascii: "."): place > 0
        default: false
        }
      if isPlain && !(isShelf && place == 0) {
        bytes.append(byte)
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        bytes += Array("%\(digits.utf8.count == 1 ? "0" : "")\(digits)".utf8)
      }
    }
    return bytes.isEmpty ? "%" : String(decoding: bytes, as: UTF8.self)
  }

  /// Puts another letter in the place of one, at once.
  package func replace(_ file: String, with letter: DeadLetter) throws(StoreError) {
    try check(file)
    try DurableFile.write(letter.encoded(), to: file)
    try DurableFile.sync(DurableFile.folder(of: file))
  }

  /// Takes a letter out of the directory proper, to the same place on a shelf. One that is there already is no error.
  /// - Returns: its new path.
  @discardableResult
  package func move(_ file: String, to shelf: Shelf) throws(StoreError) -> String {
    try check(file)
    let place = path + "/" + shelf.rawValue + file.dropFirst(path.utf8.count)
    if access(file, F_OK) != 0, access(place, F_OK) == 0 { return place }
    let folder = DurableFile.folder(of: place)
    let made = try DurableFile.makeFolders(folder)
    guard rename(file, place) == 0 else { throw DurableFile.fault("move", file) }
    for changed in [folder] + made.reversed() + [DurableFile.folder(of: file)] { try DurableFile.sync(changed) }
    return place
  }

  /// A letter that its operator will not send. Kept on the shelf `dropped`.
  @discardableResult
  package func drop(_ file: String) throws(StoreError) -> String { try move(file, to: .dropped) }

  /// Only files of the directory proper are changed.
  private func check(_ file: String) throws(StoreError) {
    let isInside = file.hasPrefix(path + "/") && !file.split(separator: "/").contains("..")
    let isOnShelf = Shelf.allCases.contains { file.hasPrefix("\(path)/\($0.rawValue)/") }
    if isInside && !isOnShelf { return }
    throw StoreError(code: "other", description: "\(file) is not a letter in \(path)")
  }

  /// Reads one letter, from here or anywhere.
  /// - Throws: `io` when the file cannot be read, `corrupt` with every fault when it is no letter.
  package func read(_ file: String) throws(StoreError) -> DeadLetter {
    let bytes = try DurableFile.read(file, limit: 16 << 20)
    do { return try DeadLetter(decoding: bytes) } catch {
      throw StoreError(code: "corrupt", description: "\(file) is no dead letter: \(error.description)")
    }
  }
}
