// Dead letters that go for good: a person's, on every shelf, and old ones that were dealt with.

package import DivertCore
import Glibc

extension DeadLetterDirectory {
  /// The files that are a person's: letters of their events, those to their number, and damaged ones that name it.
  package func files(of person: ErasedPerson, _ events: Set<EventID>) throws(StoreError) -> [String] {
    func isTheirs(_ entry: DeadLetterEntry) -> Bool {
      guard let letter = entry.letter else {
        return (try? DurableFile.read(entry.path)).map { person.isNamed(in: $0) } ?? false
      }
      return events.contains(letter.event.id) || person.isCustomer(letter.event.fields.customerPhone)
    }
    var found = try entries().filter(isTheirs).map(\.path)
    for shelf in Shelf.allCases { found += try entries(on: shelf).filter(isTheirs).map(\.path) }
    return found
  }

  /// The letters that died before a moment and were dealt with since: replayed or dropped.
  package func shelved(before time: Timestamp) throws(StoreError) -> [String] {
    var found: [String] = []
    for shelf in Shelf.allCases {
      found += try entries(on: shelf).filter { ($0.letter?.diedAt).map { $0 < time } ?? false }.map(\.path)
    }
    return found
  }

  /// Deletes files for good. One that is gone is no error.
  package func erase(_ files: [String]) throws(StoreError) {
    for file in files where unlink(file) != 0 && errno != ENOENT { throw DurableFile.fault("delete", file) }
    for folder in Set(files.map(DurableFile.folder(of:))) { try DurableFile.sync(folder) }
  }
}
