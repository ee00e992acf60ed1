// The chain's rows in order, each held against the one before.

import DivertCore

struct ChainWalk {
  private let select: SQLiteStatement?
  private var last: (n: Int64, stored: [UInt8], computed: [UInt8])?

  struct Link {
    var row: ChainRow
    var leaves: [Leaf]
    /// What is wrong with the row itself; nil: nothing.
    var fault: String?
  }

  init(_ connection: SQLiteConnection) {
    select = try? connection.prepare("SELECT n, at, leaves, head FROM chain ORDER BY n")
  }

  mutating func next() throws -> Link? {
    guard let select else { throw StoreError(code: "corrupt", description: "the store's chain cannot be read") }
    guard try select.step() else { return nil }
    let row = ChainRow(n: select.integer(0), at: select.time(1), leaves: select.blob(2), head: select.blob(3))
    let leaves = Leaf.list(decoding: row.leaves)
    let fault = judge(row) ?? (leaves == nil ? "its leaves cannot be read" : nil)
    return Link(row: row, leaves: leaves ?? [], fault: fault)
  }

  /// A head that was changed alone is told once, at its own row.
  private mutating func judge(_ row: ChainRow) -> String? {
    let before = last ?? (0, ChainRow.none, ChainRow.none)
    let computed = ChainRow.head(after: before.stored, n: row.n, at: row.at, leaves: row.leaves)
    let mended =
      before.stored == before.computed
      ? computed : ChainRow.head(after: before.computed, n: row.n, at: row.at, leaves: row.leaves)
    defer { last = (row.n, row.head, mended) }
    if row.n != before.n + 1 {
      last = nil
      return row.n == before.n + 2
        ? "entry \(before.n + 1) is missing" : "entries \(before.n + 1) to \(row.n - 1) are missing"
    }
    if computed == row.head || mended == row.head { return nil }
    return "its hash does not follow from its content and the entry before it"
  }
}
