// The name that was probably meant, for every "unknown …" that the reader of a file reports.

package enum NearestName {
  /// Longer names are no misspellings of anything.
  private static let longest = 80

  /// The candidate that `name` most likely misspells; nil where none is near: at most a third of its letters differ,
  /// two in names of four and five. Of several as near, one that begins alike, then the first, is taken.
  package static func to(_ name: String, among candidates: some Sequence<String>) -> String? {
    guard name.utf8.count <= longest else { return nil }
    let wanted = Array(name.lowercased().utf8)
    var best: (name: String, rank: Int)?
    for candidate in candidates {
      let letters = Array(candidate.lowercased().utf8)
      let limit = min(limit(max(wanted.count, letters.count)), (best?.rank ?? .max) / 2)
      guard letters.count <= longest, abs(letters.count - wanted.count) <= limit else { continue }
      let distance = distance(wanted, letters)
      let rank = distance * 2 + (letters.first == wanted.first ? 0 : 1)
      if distance <= limit, rank < best?.rank ?? Int.max { best = (candidate, rank) }
    }
    return best?.name
  }

  /// How many letters may differ in a name of that length.
  private static func limit(_ length: Int) -> Int {
    length < 4 ? 1 : max(2, length / 3)
  }

  /// Insertions, deletions, replacements and swaps of neighbours from one to the other, also of neighbours that other
  /// letters have come between (Damerau and Levenshtein's distance).
  package static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    let most = a.count + b.count
    let width = b.count + 2
    // Row and column 0 hold `most`, so that no swap reaches past the beginning.
    var table = [Int](repeating: most, count: (a.count + 2) * width)
    for i in 0...a.count { table[(i + 1) * width + 1] = i }
    for j in 0...b.count { table[width + j + 1] = j }
    var lastRow = [Int](repeating: 0, count: 256)
    for i in stride(from: 1, through: a.count, by: 1) {
      var lastColumn = 0
      for j in stride(from: 1, through: b.count, by: 1) {
        let (row, column) = (lastRow[Int(b[j - 1])], lastColumn)
        let same = a[i - 1] == b[j - 1]
        if same { lastColumn = j }
        let replaced = table[i * width + j] + (same ? 0 : 1)
        let changed = min(table[(i + 1) * width + j], table[i * width + j + 1]) + 1
        let swapped = table[row * width + column] + (i - row - 1) + 1 + (j - column - 1)
        table[(i + 1) * width + j + 1] = min(replaced, changed, swapped)
      }
      lastRow[Int(a[i - 1])] = i
    }
    return table[(a.count + 1) * width + b.count + 1]
  }
}
