// What was spent of budgets, in the table `meta`: written with the batches that spend it, read at the start, so that a
// day does not begin anew with the process.

package import DivertCore

extension SQLiteStore {
  package func budgets() throws(StoreError) -> [BudgetHolder: BudgetCount] {
    try writing("read what was spent of budgets") { writer in
      let select = try writer.statement("SELECT name, value FROM meta WHERE name LIKE 'spent %'")
      var counts: [BudgetHolder: BudgetCount] = [:]
      let rows = try select.all { ($0.text(0), $0.text(1)) }
      for (name, value) in rows {
        if let holder = BudgetHolder(row: name) { counts[holder] = BudgetCount(row: value) }
      }
      return counts
    }
  }
}

extension SQLiteCommit {
  func keep(_ count: BudgetCount, of holder: BudgetHolder) throws {
    try writer.statement("INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)").run([
      .text(holder.row), .text(count.row),
    ])
  }
}

extension BudgetHolder {
  fileprivate var row: String {
    switch self {
    case .target(let name): "spent target " + name
    case .credential(let name): "spent credential " + name
    }
  }

  fileprivate init?(row: String) {
    let parts = row.split(separator: " ", maxSplits: 2).map(String.init)
    guard parts.count == 3 else { return nil }
    switch parts[1] {
    case "target": self = .target(parts[2])
    case "credential": self = .credential(parts[2])
    default: return nil
    }
  }
}

extension BudgetCount {
  fileprivate var row: String { "\(spent) \(endsAt.milliseconds)" }

  fileprivate init?(row: String) {
    let numbers = row.split(separator: " ").compactMap { Int64($0) }
    guard numbers.count == 2, let spent = Int(exactly: numbers[0]) else { return nil }
    self.init(spent: spent, endsAt: Timestamp(milliseconds: numbers[1]))
  }
}
