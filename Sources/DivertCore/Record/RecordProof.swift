// What an extract of the record carries so that it can be checked without the store: the sealed bytes, and the chain's entries.

/// The seals of some events and changes, and the entries of the chain that have them.
package struct RecordProof: Sendable, Hashable {
  /// A leaf with what was hashed for it.
  package struct SealedThing: Sendable, Hashable {
    /// `event`, `delivery`, `change`.
    package var kind: String
    /// `evt_…`, `dlv_…` (several with commas between them), a change's number.
    package var id: String
    package var entry: Int64
    /// The leaf as it stands in its entry; its last 32 bytes are SHA-256 of `content`.
    package var leaf: [UInt8]
    package var content: [UInt8]
    /// What `content` has by digest alone: the body, the attempts. Their SHA-256 stands in it.
    package var parts: [[UInt8]]

    package init(kind: String, id: String, entry: Int64, leaf: [UInt8], content: [UInt8], parts: [[UInt8]]) {
      self.kind = kind
      self.id = id
      self.entry = entry
      self.leaf = leaf
      self.content = content
      self.parts = parts
    }
  }

  /// An entry of the chain: `head` is SHA-256 of `previous`, the number and the time (milliseconds) in eight bytes each, and
  /// the leaves.
  package struct Entry: Sendable, Hashable {
    package var n: Int64
    package var at: Timestamp
    package var previous: [UInt8]
    package var leaves: [UInt8]
    package var head: [UInt8]

    package init(n: Int64, at: Timestamp, previous: [UInt8], leaves: [UInt8], head: [UInt8]) {
      self.n = n
      self.at = at
      self.previous = previous
      self.leaves = leaves
      self.head = head
    }
  }

  package var things: [SealedThing] = []
  /// By number.
  package var entries: [Entry] = []
  /// Where the chain stood.
  package var head = RecordHead(entry: 0, hash: "")
  /// The last head that was published and delivered; nil: none was.
  package var published: RecordVerdict.Anchor?

  package init() {}
}
