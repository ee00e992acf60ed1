// How plans, packed states and attempts are written in a row: compact JSON arrays, so that any tool can read them.

import DivertCore

/// Appends compact JSON to a buffer; one value after another within `array`.
struct CompactJSON {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  /// Blanks behind the document, up to a length.
  mutating func fill(to length: Int) {
    if bytes.count < length { bytes.append(contentsOf: repeatElement(0x20, count: length - bytes.count)) }
  }

  mutating func array(_ write: (inout CompactJSON) -> Void) {
    comma()
    bytes.append(UInt8(ascii: "["))
    needsComma = false
    write(&self)
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  mutating func text(_ text: String) {
    comma()
    JSONWriter.append(string: text, to: &bytes)
  }

  mutating func text(_ text: String?) {
    if let text { self.text(text) } else { null() }
  }

  mutating func number(_ n: Int64) {
    comma()
    var digits: (UInt64, UInt64, UInt32) = (0, 0, 0)
    withUnsafeMutableBytes(of: &digits) { buffer in
      var place = buffer.count
      var rest = n.magnitude
      repeat {
        place -= 1
        buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      if n < 0 { bytes.append(UInt8(ascii: "-")) }
      bytes.append(contentsOf: buffer[place...])
    }
  }

  mutating func number(_ n: Int) { number(Int64(n)) }

  mutating func null() {
    comma()
    bytes.append(contentsOf: "null".utf8)
  }

  private mutating func comma() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }
}

/// A planned delivery as it stands in its event's row.
struct PlanEntry {
  var plan: PlannedDelivery
  /// The configuration that planned it, where that is not the event's own.
  var version: String?
  /// Added after the event was accepted: a replay or an addition; it always has a row.
  var later: Bool
}

/// The `plan` column: `[route, send, target, action, order key, due, kind, version, expires]`; kind is 1 to a person, 2 in stages, 3
/// both, else 0. What ends a list may be left out: it never expires, no version (the event's own; as null), kind 0, due when the
/// event was received (as null), no order key.
enum PlanCoding {
  static func encode(_ entries: [PlanEntry]) -> [UInt8] {
    var json = CompactJSON()
    json.array { json in for entry in entries { append(entry.plan, later: entry.version, nil, to: &json) } }
    return json.bytes
  }

  static func encode(_ planned: [PlannedDelivery], received: Timestamp) -> [UInt8] {
    var json = CompactJSON()
    json.array { json in for plan in planned { append(plan, later: nil, received, to: &json) } }
    return json.bytes
  }

  private static func append(
    _ plan: PlannedDelivery, later version: String?, _ received: Timestamp?, to json: inout CompactJSON
  ) {
    json.array { json in
      json.text(plan.route)
      json.text(plan.send)
      json.text(plan.target)
      json.text(plan.action)
      let atOnce = plan.due == received
      let kind = (plan.toPerson ? 1 : 0) + (plan.prepares ? 2 : 0)
      let isPlain = version == nil && kind == 0 && atOnce && plan.expires == nil
      if isPlain, plan.orderKey == nil { return }
      json.text(plan.orderKey)
      if isPlain { return }
      if atOnce { json.null() } else { json.number(plan.due.milliseconds) }
      json.number(kind)
      if version == nil, plan.expires == nil { return }
      json.text(version)
      if let expires = plan.expires { json.number(expires.milliseconds) }
    }
  }

  static func decode(_ bytes: [UInt8], received: Timestamp) throws -> [PlanEntry] {
    let items = try StoredJSON.array(bytes, "plan")
    return try items.map { item in
      guard let fields = item.array, fields.count >= 4, let route = fields[0].string, let send = fields[1].string,
        let target = fields[2].string, let action = fields[3].string
      else { throw StoredJSON.fault("plan") }
      let due = fields.count > 5 ? fields[5].integer.map(Timestamp.init(milliseconds:)) : nil
      let kind = fields.count > 6 ? fields[6].integer ?? 0 : 0
      let plan = PlannedDelivery(
        route: route, send: send, target: target, action: action, orderKey: fields.count > 4 ? fields[4].string : nil,
        due: due ?? received, toPerson: kind & 1 == 1, prepares: kind & 2 == 2,
        expires: fields.count > 8 ? fields[8].integer.map(Timestamp.init(milliseconds:)) : nil)
      let version = fields.count > 7 ? fields[7].string : nil
      return PlanEntry(plan: plan, version: version, later: version != nil)
    }
  }
}

/// The `packed` column: `0` open, `1` has a row, `[state, code, sentence, attempt or null]` ended; code and sentence are null
/// where the attempt's hold. Filled up with blanks to its width.
enum PackedCoding {
  /// What an ended delivery mostly takes.
  private static let usualEnd = 88

  /// Room for the states that open ones are going to have.
  static func width(_ states: [PackedState]) -> Int { 2 + states.reduce(0) { $0 + ($1 == .open ? usualEnd : 2) } }

  static func encode(_ states: [PackedState], width: Int) -> [UInt8] {
    var json = CompactJSON(capacity: width)
    json.array { json in
      for state in states {
        switch state {
        case .open: json.number(0)
        case .row: json.number(1)
        case .ended(let state, let reason, let attempt): append(state, reason, attempt, to: &json)
        }
      }
    }
    json.fill(to: width)
    return json.bytes
  }

  private static func append(
    _ state: DeliveryState, _ reason: Reason, _ attempt: Attempt?, to json: inout CompactJSON
  ) {
    json.array { json in
      json.number(state.rawValue)
      let shared = attempt?.reason == reason
      json.text(shared ? nil : reason.code)
      json.text(shared ? nil : reason.sentence)
      if let attempt { AttemptCoding.append(attempt, to: &json) } else { json.null() }
    }
  }

  static func decode(_ bytes: [UInt8]) throws -> [PackedState] {
    try StoredJSON.array(bytes, "packed").map { item in
      if item.integer == 0 { return .open }
      if item.integer == 1 { return .row }
      guard let fields = item.array, fields.count == 4, let raw = fields[0].integer,
        let state = DeliveryState(rawValue: Int(raw))
      else { throw StoredJSON.fault("packed") }
      let attempt = fields[3] == .null ? nil : try AttemptCoding.decode(fields[3])
      let own = fields[1].string.flatMap { code in fields[2].string.map { Reason(code, $0) } }
      guard let reason = own ?? attempt?.reason else { throw StoredJSON.fault("packed") }
      return .ended(state, reason: reason, attempt: attempt)
    }
  }
}

/// The `attempts` column: `[[started at, duration, status, outcome, code, sentence, answer, stage], …]`; an attempt of the delivery's
/// own request has no stage.
enum AttemptCoding {
  static func encode(_ attempts: [Attempt]) -> [UInt8] {
    var json = CompactJSON()
    json.array { json in for attempt in attempts { append(attempt, to: &json) } }
    return json.bytes
  }

  static func append(_ attempt: Attempt, to json: inout CompactJSON) {
    json.array { json in
      json.number(attempt.startedAt.milliseconds)
      json.number(attempt.duration.milliseconds)
      if let status = attempt.status { json.number(status) } else { json.null() }
      json.text(attempt.outcome.rawValue)
      json.text(attempt.reason.code)
      json.text(attempt.reason.sentence)
      json.text(attempt.answer)
      if let stage = attempt.stage { json.text(stage) }
    }
  }

  static func decode(_ bytes: [UInt8]) throws -> [Attempt] {
    try StoredJSON.array(bytes, "attempts").map(decode)
  }

  static func decode(_ value: JSONValue) throws -> Attempt {
    guard let fields = value.array, fields.count == 7 || fields.count == 8, let started = fields[0].integer,
      let duration = fields[1].integer, let outcome = fields[3].string.flatMap(AttemptOutcome.init(rawValue:)),
      let code = fields[4].string, let sentence = fields[5].string, let answer = fields[6].string
    else { throw StoredJSON.fault("attempts") }
    return Attempt(
      startedAt: Timestamp(milliseconds: started), duration: Span(milliseconds: duration),
      status: fields[2].integer.map { Int($0) }, outcome: outcome, reason: Reason(code, sentence), answer: answer,
      stage: fields.count == 8 ? fields[7].string : nil)
  }
}

/// The `memo` column, as `DeliveryMemo.json` says.
enum MemoCoding {
  static func encode(_ memo: DeliveryMemo) -> [UInt8] { memo.json.encoded() }

  static func decode(_ bytes: [UInt8]) throws -> DeliveryMemo {
    guard let memo = DeliveryMemo(json: try StoredJSON.parse(bytes, "memo")) else { throw StoredJSON.fault("memo") }
    return memo
  }
}

/// The `edited` column: `{"method", "url", "headers": [[name, value], …], "body", "step"}`.
enum EditedCoding {
  static func encode(_ request: EditedRequest) -> [UInt8] {
    let headers = request.headers.map { JSONValue.array([.string($0.name), .string($0.value)]) }
    let json: JSONValue = [
      "method": .string(request.method), "url": .string(request.url), "headers": .array(headers),
      "body": request.body.map { .string($0) } ?? .null, "step": request.step.map { .string($0) } ?? .null,
    ]
    return json.encoded()
  }

  static func decode(_ bytes: [UInt8]) throws -> EditedRequest {
    let json = try StoredJSON.parse(bytes, "edited")
    guard let method = json["method"]?.string, let url = json["url"]?.string, let list = json["headers"]?.array else {
      throw StoredJSON.fault("edited")
    }
    let headers = try list.map { item in
      guard let pair = item.array, pair.count == 2, let name = pair[0].string, let value = pair[1].string else {
        throw StoredJSON.fault("edited")
      }
      return HTTPHeader(name, value)
    }
    return EditedRequest(
      method: method, url: url, headers: headers, body: json["body"]?.string, step: json["step"]?.string)
  }
}

/// Reads what a column holds; what is not as it was written is `corrupt`.
enum StoredJSON {
  static func parse(_ bytes: [UInt8], _ column: String) throws -> JSONValue {
    do { return try JSONValue.parse(bytes, maxDepth: 1024) } catch { throw fault(column) }
  }

  static func array(_ bytes: [UInt8], _ column: String) throws -> [JSONValue] {
    guard let items = try parse(bytes, column).array else { throw fault(column) }
    return items
  }

  static func fault(_ column: String) -> StoreError {
    StoreError(code: "corrupt", description: "a row's `\(column)` column does not hold what was written there")
  }
}
