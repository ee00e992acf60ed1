// The monotone counters as one small JSON document, rewritten in the transaction of what they count.

import DivertCore

/// What the totals row holds: the counters, and what the next sequence depends on.
struct Ledger {
  var totals = Totals()
  /// The last sequence given, so that none is given twice even after its event is gone.
  var lastSequence: Int64 = 0
  /// The furthest that a sequence's time ran ahead of its event's reception (a clock jumped back), in milliseconds.
  var skew: Int64 = 0
  /// Events accepted since the store was made.
  var events = 0
}

extension Ledger {
  func encoded() -> [UInt8] {
    var json = CompactJSON()
    json.array { json in
      json.number(totals.commits)
      json.number(lastSequence)
      json.number(skew)
      json.number(events)
      json.array { json in
        for (name, s) in totals.sources {
          json.array { json in
            json.text(name)
            for n in [s.received, s.accepted, s.duplicate, s.quarantined, s.refused, s.unmatched] { json.number(n) }
          }
        }
      }
      json.array { json in
        for (name, t) in totals.targets {
          json.array { json in
            json.text(name)
            for n in [t.planned, t.delivered, t.dead, t.skipped] { json.number(n) }
          }
        }
      }
    }
    return json.bytes
  }

  init(decoding bytes: [UInt8]) throws {
    let items = try StoredJSON.array(bytes, "json")
    guard items.count == 6, let commits = items[0].integer, let last = items[1].integer, let skew = items[2].integer,
      let events = items[3].integer, let sources = items[4].array, let targets = items[5].array
    else { throw StoredJSON.fault("json") }
    self.init()
    totals.commits = Int(commits)
    lastSequence = last
    self.skew = skew
    self.events = Int(events)
    for item in sources {
      let (name, n) = try Self.counters(item, count: 6)
      var source = Totals.Source()
      (source.received, source.accepted, source.duplicate) = (n[0], n[1], n[2])
      (source.quarantined, source.refused, source.unmatched) = (n[3], n[4], n[5])
      totals.sources[name] = source
    }
    for item in targets {
      let (name, n) = try Self.counters(item, count: 4)
      var target = Totals.Target()
      (target.planned, target.delivered, target.dead, target.skipped) = (n[0], n[1], n[2], n[3])
      totals.targets[name] = target
    }
  }

  private static func counters(_ item: JSONValue, count: Int) throws -> (String, [Int]) {
    guard let fields = item.array, let name = fields.first?.string else { throw StoredJSON.fault("json") }
    let numbers = fields.dropFirst().compactMap { $0.integer.map { Int($0) } }
    guard numbers.count == count else { throw StoredJSON.fault("json") }
    return (name, numbers)
  }
}

extension Totals.Target {
  /// Counts a delivery that ended.
  mutating func count(_ state: DeliveryState) {
    switch state {
    case .delivered: delivered += 1
    case .dead: dead += 1
    case .skipped: skipped += 1
    case .waiting, .sending: break
    }
  }
}
