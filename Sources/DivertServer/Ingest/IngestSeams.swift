// What the ingest needs of the rest of the house, handed in by the composition root.

package import DivertCore

/// Takes what became of an append.
package typealias AppendReply = @Sendable (Result<AppendOutcome, StoreError>) -> Void

package struct IngestSeams: Sendable {
  /// The newest configuration.
  package var currentTable: @Sendable () -> RouteTable
  /// A secret's value by name; nil where it is absent. Asked once per configuration and source.
  package var secret: @Sendable (String) -> String?
  /// Step 4 of the line: `reply` is called once, from any thread, after the commit is on disk. Must not block.
  package var append: @Sendable (Append, _ reply: @escaping AppendReply) -> Void
  /// Counts a refusal in a following commit. Must not block.
  package var refuse: @Sendable (Refusal) -> Void
  package var now: @Sendable () -> Timestamp
  /// Whether an event reports a write of Divert's own. Must not block.
  package var isOwn: @Sendable (Event) -> Bool
  /// The entry of the suppression list that holds for a customer's phone at a moment. Must not block.
  package var suppression: @Sendable (String?, Timestamp) -> Suppression?

  package init(
    currentTable: @escaping @Sendable () -> RouteTable, secret: @escaping @Sendable (String) -> String?,
    append: @escaping @Sendable (Append, _ reply: @escaping AppendReply) -> Void,
    refuse: @escaping @Sendable (Refusal) -> Void,
    now: @escaping @Sendable () -> Timestamp = WallClock.now,
    isOwn: @escaping @Sendable (Event) -> Bool = { _ in false },
    suppression: @escaping @Sendable (String?, Timestamp) -> Suppression? = { _, _ in nil }
  ) {
    self.suppression = suppression
    self.currentTable = currentTable
    self.secret = secret
    self.append = append
    self.refuse = refuse
    self.now = now
    self.isOwn = isOwn
  }
}
