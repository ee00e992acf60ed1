// What `divert record verify` found.

/// The chain walked from its first entry to its last, each thing held against its leaf, each leaf against its thing.
package struct RecordVerdict: Sendable {
  /// Something that is not as the chain says.
  package struct Problem: Sendable, Hashable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
      /// Its content is not what was sealed.
      case changed
      /// Sealed, and no longer there; no erasure and no sweep on record covers it.
      case deleted
      /// There, and never sealed.
      case inserted
      /// An entry of the chain is not what it was, or not where it was.
      case chain
      /// A head that was published is not the chain's.
      case head
    }
    package var code: Code
    /// `event`, `delivery`, `suppression`, `configuration`, `erasure`, `sweep`, `start`, `chain`.
    package var kind: String
    /// `evt_…`, `dlv_…`, a change's number, a chain's entry.
    package var id: String
    /// The entry that sealed it, where one did.
    package var entry: Int64?
    /// What differs, in words; without payloads.
    package var sentence: String

    package init(code: Code, kind: String, id: String, entry: Int64?, sentence: String) {
      self.code = code
      self.kind = kind
      self.id = id
      self.entry = entry
      self.sentence = sentence
    }
  }

  /// A head that is known outside.
  package struct Anchor: Sendable, Hashable {
    package var head: RecordHead
    /// The event that published it; nil: it was given by the one who asks.
    package var event: EventID?
    /// One of its sends was delivered (one that was given counts as such).
    package var delivered: Bool
    /// The chain has that hash there.
    package var holds: Bool

    package init(head: RecordHead, event: EventID?, delivered: Bool, holds: Bool) {
      self.head = head
      self.event = event
      self.delivered = delivered
      self.holds = holds
    }
  }

  /// What leaves speak of.
  package struct Counts: Sendable, Hashable {
    package var events = 0
    package var deliveries = 0
    package var changes = 0
    package init() {}
  }

  /// The chain's last entry.
  package var head = RecordHead(entry: 0, hash: "")
  package var begunAt: Timestamp?
  /// Events that were there before the record began; they are not covered.
  package var eventsBefore = 0
  package var sealed = Counts()
  /// Of these, what came after the last head known outside: a change of it cannot be told from a chain written anew.
  package var unanchored = Counts()
  /// The last entry that a head known outside covers; 0: none is known.
  package var anchoredThrough: Int64 = 0
  package var anchors: [Anchor] = []
  /// Events whose content is gone as an erasure or a sweep on record says.
  package var erased = 0
  package var swept = 0
  /// When what was removed for good, newest last: the change's kind, its entry, its time and how many events it names.
  package var removals: [Removal] = []
  package var problems: [Problem] = []
  /// More problems than are told.
  package var untold = 0

  package struct Removal: Sendable, Hashable {
    package var kind: RecordChangeKind
    package var entry: Int64
    package var at: Timestamp
    package var events: Int

    package init(kind: RecordChangeKind, entry: Int64, at: Timestamp, events: Int) {
      self.kind = kind
      self.entry = entry
      self.at = at
      self.events = events
    }
  }

  package var holds: Bool { problems.isEmpty && untold == 0 }

  /// More are counted, not told.
  package static let told = 200

  package mutating func add(_ problem: Problem) {
    if problems.count < Self.told { problems.append(problem) } else { untold += 1 }
  }

  package init() {}
}
