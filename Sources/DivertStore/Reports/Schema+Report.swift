// The tables that reports are read from: digests of what is done with, and the log of messages that ended since.

extension Schema {
  /// A digest's `rows` is a `ReportBlock`. `call_digests`: the calls that ended among the events from `first` to `last`.
  /// `message_ends`:
  /// messages to a person that came to their end, until they are in a digest of `message_digests`, whose `first` is a mere number.
  static let report = """
    CREATE TABLE call_digests(
      first INTEGER PRIMARY KEY, last INTEGER NOT NULL, min_at INTEGER NOT NULL, max_at INTEGER NOT NULL,
      rows BLOB NOT NULL);
    CREATE INDEX call_digests_time ON call_digests(max_at, min_at);
    CREATE TABLE message_ends(
      id INTEGER PRIMARY KEY, at INTEGER NOT NULL, event INTEGER NOT NULL, ordinal INTEGER NOT NULL);
    CREATE TABLE message_digests(
      first INTEGER PRIMARY KEY, min_at INTEGER NOT NULL, max_at INTEGER NOT NULL, rows BLOB NOT NULL);
    CREATE INDEX message_digests_time ON message_digests(max_at, min_at);

    """

  /// Messages that ended before there was a log of them: at about the time of their first attempt.
  static let reportUpgrade =
    report + """
      INSERT INTO message_ends(at, event, ordinal)
        SELECT coalesce(first, due), event, ordinal FROM deliveries WHERE person = 1 AND state > 1 ORDER BY 1;

      """
}
