// The tables of the record, as of schema version 4.

extension Schema {
  /// `chain`: an entry for each transaction with something to seal. `changes`: what is on record and no event. `heads`: the
  /// heads that were handed out, each with the event that did it. `events.seal`, `deliveries.seal`: see Seal.swift.
  static let record = """
    CREATE TABLE chain(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, leaves BLOB NOT NULL, head BLOB NOT NULL);
    CREATE TABLE changes(
      id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT, content BLOB NOT NULL, seal BLOB);
    CREATE INDEX changes_subject ON changes(subject) WHERE subject IS NOT NULL;
    CREATE TABLE heads(n INTEGER PRIMARY KEY, event INTEGER NOT NULL);

    """
}
