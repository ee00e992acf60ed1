// Who asks what, and what was answered: so that a question is put to a target once for all deliveries that need its answer
// (between steps 6 and 7 of the line).

import DivertCore

/// Answers that hold a while, and questions under way with those who wait for their answer. Owned by the engine.
struct LookupDesk: Sendable {
  /// A rendered request of a target; two lookups that render the same share it.
  struct Question: Hashable, Sendable {
    var target: String
    var method: String
    var url: String
    var body: [UInt8]

    init(_ request: RenderedRequest, target: String) {
      self.target = target
      method = request.method
      url = request.url
      body = request.body
    }

    /// The creation of what a lookup did not find by this question, and what it wanted of the items; `event`: where there was
    /// nothing to ask by.
    init(creating lookup: LookupDefinition, after question: Question?, wanted: [String], event: EventID) {
      target = lookup.target
      method = "create " + lookup.name
      url = ([question.map { $0.method + " " + $0.url } ?? event.description] + wanted).joined(separator: "\n")
      body = question?.body ?? []
    }

    fileprivate var size: Int { url.utf8.count + body.count + 64 }
  }

  /// What a question came to.
  enum Held: Sendable {
    case answer(DivertCore.HTTPAnswer, Judgement)
    /// The fields of what was created.
    case created(JSONValue)
  }

  struct Known: Sendable {
    var held: Held
    /// How long ago it was answered.
    var age: Span
    /// A delivery of the same event was given it: it holds for this one, however old it is.
    var isOwn: Bool
  }

  private struct Entry: Sendable {
    var held: Held
    var at: Timestamp
    var events: [Int64]
    var serial: Int
    var size: Int
  }

  private struct Asking: Sendable {
    var asker: JobToken
    var waiters: [JobToken] = []
  }

  /// Answers kept at most, and their bytes.
  static let mostAnswers = 8192
  static let mostBytes = 16 << 20
  /// A longer answer is given to those who wait for it and not kept.
  static let longestAnswer = 256 << 10
  /// Events that an answer is remembered to have been given to.
  private static let mostEvents = 32

  private var entries: [Question: Entry] = [:]
  private var order: [(question: Question, serial: Int)] = []
  private var oldest = 0
  private var bytes = 0
  private var serial = 0
  private var asking: [Question: Asking] = [:]

  var count: Int { entries.count }
  /// Questions under way.
  var open: Int { asking.count }

  /// What is known to answer a question.
  func known(_ question: Question, to event: EventID, now: Timestamp) -> Known? {
    entries[question].map { entry in
      Known(held: entry.held, age: now - entry.at, isOwn: entry.events.contains(event.sequence))
    }
  }

  /// A delivery of the event goes on with what is known.
  mutating func give(_ question: Question, to event: EventID) {
    guard let entry = entries[question], !entry.events.contains(event.sequence) else { return }
    if entry.events.count >= Self.mostEvents { entries[question]?.events.removeFirst() }
    entries[question]?.events.append(event.sequence)
  }

  func isAsked(_ question: Question) -> Bool { asking[question] != nil }

  /// The job asks it; it says `close`, whatever comes of that.
  mutating func ask(_ question: Question, by token: JobToken) { asking[question] = Asking(asker: token) }

  /// The job waits for the answer to a question under way.
  mutating func wait(for question: Question, _ token: JobToken) { asking[question]?.waiters.append(token) }

  /// The answer came, and was given to deliveries of these events.
  mutating func answered(_ question: Question, _ held: Held, to events: [EventID], now: Timestamp) {
    keep(question, held, events.map(\.sequence), now)
  }

  /// The question is not under way any more, answered or not. Returns who waited for it.
  mutating func close(_ question: Question, by token: JobToken) -> [JobToken] {
    guard asking[question]?.asker == token else { return [] }
    return asking.removeValue(forKey: question)?.waiters ?? []
  }

  /// What was answered does not hold any more.
  mutating func forget(_ question: Question) {
    if let entry = entries.removeValue(forKey: question) { bytes -= entry.size }
  }

  /// Nothing that was asked by a person's number is known any more, nor what was answered to deliveries of their events.
  mutating func forget(_ person: ErasedPerson, _ events: Set<Int64>) {
    for (question, entry) in entries
    where person.isNamed(in: question.url.utf8) || person.isNamed(in: question.body)
      || !events.isDisjoint(with: entry.events)
    {
      forget(question)
    }
  }

  /// What a target answered to deliveries of an event holds for these no more than for those of others.
  mutating func disown(_ event: EventID, of target: String) {
    for question in Array(entries.keys) where question.target == target {
      entries[question]?.events.removeAll { $0 == event.sequence }
    }
  }

  private mutating func keep(_ question: Question, _ held: Held, _ events: [Int64], _ now: Timestamp) {
    forget(question)
    var size = question.size
    if case .answer(let answer, _) = held {
      if answer.body.count > Self.longestAnswer { return }
      size += answer.body.count
    }
    serial += 1
    entries[question] = Entry(
      held: held, at: now, events: Array(events.suffix(Self.mostEvents)), serial: serial, size: size)
    order.append((question, serial))
    bytes += size
    while entries.count > Self.mostAnswers || bytes > Self.mostBytes || order.count - oldest > 2 * Self.mostAnswers {
      dropOldest()
    }
  }

  private mutating func dropOldest() {
    guard oldest < order.count else { return }
    let (question, serial) = order[oldest]
    oldest += 1
    if entries[question]?.serial == serial { forget(question) }
    if oldest > Self.mostAnswers {
      order.removeFirst(oldest)
      oldest = 0
    }
  }
}
