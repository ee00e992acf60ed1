// The tables of what routes remember: books with their entries, promises, the suppression list.

extension Schema {
  /// `entries` is partitioned by time: `period` is `at` divided by the book's width, so that an entry touches a page among those of
  /// its own period, and what was long ago is in no page that is looked at. `entries.mark` is null where it is the event's id, a
  /// number where it is that of the event's delivery of this ordinal. `events` stand by their sequence.
  ///
  /// `books.since`: every event from this sequence on is entered, up to `through` (null: the book is in use); null for claims, which
  /// no event enters. `swept`: entries before it are gone. `reach`: the longest `within` of its promises.
  ///
  /// `promises.period` is that of `opened`, by the book's width.
  static let memory = """
    CREATE TABLE books(
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, width INTEGER NOT NULL, span INTEGER NOT NULL,
      reach INTEGER NOT NULL, since INTEGER, through INTEGER, swept INTEGER);
    CREATE TABLE entries(
      book INTEGER NOT NULL, period INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, event INTEGER NOT NULL, mark,
      PRIMARY KEY(book, period, key, at, event)) WITHOUT ROWID;
    CREATE TABLE promises(
      event INTEGER NOT NULL, route TEXT NOT NULL, book INTEGER NOT NULL, period INTEGER NOT NULL, key TEXT NOT NULL,
      opened INTEGER NOT NULL, deadline INTEGER NOT NULL, judged INTEGER NOT NULL, keeper INTEGER, kept INTEGER,
      reported INTEGER, PRIMARY KEY(event, route)) WITHOUT ROWID;
    CREATE INDEX promises_place ON promises(book, period, key, opened);
    CREATE INDEX promises_unkept ON promises(judged) WHERE reported IS NULL;
    CREATE TABLE suppressions(
      phone TEXT PRIMARY KEY, reason TEXT NOT NULL, answers INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER
      ) WITHOUT ROWID;
    """

  /// By when rows expire, and where those stand in their line that allowed hours held.
  static let timing = """
    DROP INDEX IF EXISTS deliveries_line;
    CREATE INDEX deliveries_line ON deliveries(target, key, coalesce(held, due0), event, ordinal)
      WHERE key IS NOT NULL AND state < 2;
    CREATE INDEX deliveries_expiring ON deliveries(expires, event, ordinal)
      WHERE expires IS NOT NULL AND state = 0 AND uncertain = 0;
    CREATE INDEX deliveries_outside_hours ON deliveries(target) WHERE state = 0 AND code = 'outside_hours';
    """
}
