// The tables, as of schema version 4, and what each is for. `docs/architecture.md` tells how they are used.

/// The SQLite store's tables.
enum Schema {
  /// A store of a higher version is refused.
  static let version = 4

  /// `events.bucket` counts on by one every `bucketSize` events: random keys are indexed within it, so that an insert
  /// touches one of a few index pages and stays as cheap at ten million events as at ten; finding looks into each.
  /// `events.packed` comes before the blobs that never change, and keeps its width while it is updated, so that SQLite writes
  /// in place. `recent_keys`: see RecentKeys.swift. `deliveries.blocked`: not the first of its line; `deliveries.queue`: the
  /// lookup's target in whose queue it waits, null for its own. `deliveries.uncertain`: its
  /// last attempt may have arrived. `meta`: beside the file's stamp what was spent of budgets. The columns `seal`: Schema+Record.swift.
  static let statements = """
    CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE events(
      seq INTEGER PRIMARY KEY, source TEXT NOT NULL, received INTEGER NOT NULL, name TEXT NOT NULL,
      bucket INTEGER NOT NULL, call_id TEXT, phone TEXT, version TEXT NOT NULL, open INTEGER NOT NULL,
      seal BLOB, packed BLOB NOT NULL, plan BLOB NOT NULL, canonical BLOB NOT NULL, body BLOB NOT NULL);
    CREATE INDEX events_phone ON events(bucket, phone) WHERE phone IS NOT NULL;
    CREATE INDEX events_call ON events(bucket, call_id) WHERE call_id IS NOT NULL;
    CREATE INDEX events_open ON events(open) WHERE open = 1;
    CREATE TABLE dedupe(key BLOB PRIMARY KEY, seq INTEGER NOT NULL, until INTEGER) WITHOUT ROWID;
    CREATE INDEX dedupe_until ON dedupe(until) WHERE until IS NOT NULL;
    CREATE TABLE recent_keys(id INTEGER PRIMARY KEY, keys BLOB NOT NULL);
    CREATE TABLE deliveries(
      event INTEGER NOT NULL, ordinal INTEGER NOT NULL, target TEXT NOT NULL, key TEXT, due0 INTEGER NOT NULL,
      due INTEGER NOT NULL, state INTEGER NOT NULL, blocked INTEGER NOT NULL, route TEXT NOT NULL, send TEXT NOT NULL,
      action TEXT NOT NULL, person INTEGER NOT NULL, version TEXT NOT NULL, code TEXT, sentence TEXT,
      attempts BLOB NOT NULL, counted INTEGER NOT NULL, first INTEGER, stood INTEGER NOT NULL,
      replay_of INTEGER, root INTEGER, replayed_by INTEGER, superseded INTEGER NOT NULL,
      edited BLOB, as_was INTEGER NOT NULL, prepares INTEGER NOT NULL DEFAULT 0, memo BLOB, queue TEXT,
      seal BLOB, expires INTEGER, held INTEGER, uncertain INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY(event, ordinal)) WITHOUT ROWID;
    CREATE INDEX deliveries_free ON deliveries(coalesce(queue, target), due, event, ordinal)
      WHERE state = 0 AND blocked = 0;
    CREATE INDEX deliveries_waiting ON deliveries(target, due0) WHERE state = 0;
    CREATE INDEX deliveries_sending ON deliveries(target) WHERE state = 1;
    CREATE INDEX deliveries_dead ON deliveries(target, event, ordinal) WHERE state = 3 AND superseded = 0;
    CREATE TABLE totals(id INTEGER PRIMARY KEY, json BLOB NOT NULL);
    CREATE TABLE configs(version TEXT PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL);
    CREATE TABLE target_states(
      target TEXT PRIMARY KEY, kind TEXT NOT NULL, code TEXT NOT NULL, sentence TEXT NOT NULL, since INTEGER NOT NULL);
    CREATE TABLE alarms(name TEXT PRIMARY KEY, sentence TEXT NOT NULL);

    """ + timing + memory + record + report

  /// From each version to the next.
  static let upgrades = [
    1: "CREATE TABLE recent_keys(id INTEGER PRIMARY KEY, keys BLOB NOT NULL)",
    2: """
    ALTER TABLE deliveries ADD COLUMN prepares INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE deliveries ADD COLUMN memo BLOB;
    ALTER TABLE deliveries ADD COLUMN queue TEXT;
    DROP INDEX deliveries_free;
    CREATE INDEX deliveries_free ON deliveries(coalesce(queue, target), due, event, ordinal)
      WHERE state = 0 AND blocked = 0
    """,
    3: """
    ALTER TABLE events ADD COLUMN seal BLOB;
    ALTER TABLE deliveries ADD COLUMN seal BLOB;
    ALTER TABLE deliveries ADD COLUMN expires INTEGER;
    ALTER TABLE deliveries ADD COLUMN held INTEGER;
    ALTER TABLE deliveries ADD COLUMN uncertain INTEGER NOT NULL DEFAULT 0;
    UPDATE deliveries SET prepares = 1 WHERE person = 1 AND state < 2;

    """ + timing + memory + record + reportUpgrade,
  ]

  /// Events in a bucket. (It was 4096 in version 1: buckets of different sizes do no harm.)
  static let bucketSize = 1024
}
