// Own writes on disk: known again after a restart, whatever a crash left of the last line, and no longer than they count.

import DivertCore
import FoundationEssentials
import Testing

@testable import DivertStore

@Suite("Own writes on disk") struct WriteJournalTests {
  private static let now = Timestamp(milliseconds: 1_768_473_025_000)

  private static func write(_ tag: String, until: Timestamp = now + .minutes(10)) -> RememberedWrite {
    let fields: [ExpectedEcho.Field] = [
      .init(path: .raw(["tag", "name"]), value: tag), .init(path: .field(.agent), value: "asha"),
    ]
    let echo = ExpectedEcho(event: "ADD_TAG", customer: "919876543210", fields: fields, holds: .minutes(10))
    return RememberedWrite(echo: echo, until: until)
  }

  private static func folder() throws -> String {
    let folder = FileManager.default.temporaryDirectory.path + "/divert-journal-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test("what was appended is there again, without what is over and without a line that was cut off")
  func again() throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let journal = WriteJournal(folder: folder)
    #expect(try journal.open(now: Self.now).isEmpty)
    let (one, two, over) = (
      Self.write("one"), Self.write("zwölf \"\n"), Self.write("over", until: Self.now + .seconds(1))
    )
    try journal.append([one, two, over]) { [] }
    let path = folder + "/own-writes"
    var bytes = try DurableFile.read(path)
    bytes += Array(#"{"event":"ADD_T"#.utf8)
    try DurableFile.write(bytes, to: path)
    let later = WriteJournal(folder: folder)
    #expect(try later.open(now: Self.now + .seconds(2)) == [one, two])
    try later.append([one]) { [] }
    #expect(try WriteJournal(folder: folder).open(now: Self.now + .seconds(2)) == [one, two, one])
    #expect(try WriteJournal(folder: folder).open(now: Self.now + .hours(1)).isEmpty)
  }

  @Test("a file that has grown begins anew with what counts")
  func bounded() throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let journal = WriteJournal(folder: folder)
    _ = try journal.open(now: Self.now)
    let many = Array(repeating: Self.write("x"), count: WriteJournal.most)
    try journal.append(many) { [] }
    try journal.append([Self.write("y")]) { [Self.write("y"), Self.write("z")] }
    #expect(try WriteJournal(folder: folder).open(now: Self.now) == [Self.write("y"), Self.write("z")])
  }
}
