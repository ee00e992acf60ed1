// Every name of the language with one or two letters wrong: the name that was meant is suggested.
import DivertCore
import Testing

@testable import DivertConfig

/// Names that can stand at one place.
struct NameSet: Sendable, CustomTestStringConvertible {
  var what: String
  var names: [String]
  var testDescription: String { what }

  static let all: [NameSet] = {
    var sets = LanguagePart.allCases.filter { $0 != .preset }.map { part in
      NameSet(what: part.rawValue, names: part.description.fields.map(\.name))
    }
    let operators = Language.comparison.fields.map(\.name)
    sets += [
      NameSet(what: "event fields", names: ValuePath.names(in: .send(tables: []))),
      NameSet(what: "operators", names: operators), NameSet(what: "filters", names: Filter.allCases.map(\.rawValue)),
      NameSet(what: "events", names: KnownValues.events), NameSet(what: "statuses", names: KnownValues.statuses),
      NameSet(what: "directions", names: KnownValues.directions),
      NameSet(what: "presets", names: Presets.names + ["http"]),
      NameSet(what: "outcomes", names: Language.outcomes), NameSet(what: "wait units", names: Language.waitUnits),
      NameSet(what: "targets", names: ["crm", "whatsapp", "team_lead", "automation", "duty_officer", "ledger"]),
      NameSet(
        what: "actions",
        names: ["log_call", "log_agent", "raise_risk", "flag_review", "escalate", "close_task", "note"]),
      NameSet(what: "zones", names: ["Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "Europe/London", "UTC"]),
    ]
    return sets.map { NameSet(what: $0.what, names: $0.names.filter { $0.count > 1 }) }.filter { !$0.names.isEmpty }
  }()
}

/// How often the right name was suggested.
private struct Rate: CustomStringConvertible {
  var right = 0
  var all = 0
  /// Other names are as near, so that nobody can tell.
  var undecidable = 0
  var misses: [String] = []

  var value: Double { all == 0 ? 1 : Double(right) / Double(all) }

  var description: String {
    let percent = Double(Int(value * 10_000)) / 100
    return "\(right) of \(all) (\(percent) %), \(undecidable) left out since another name is as near"
  }

  mutating func judge(_ typo: String, meant: String, _ names: [String]) {
    if names.contains(typo) { return }
    let distance = Self.distance(typo, meant)
    if names.contains(where: {
      $0 != meant && abs($0.utf8.count - typo.utf8.count) <= distance && Self.distance(typo, $0) <= distance
    }) {
      undecidable += 1
      return
    }
    all += 1
    if NearestName.to(typo, among: names) == meant { right += 1 } else { misses.append("\(typo) for \(meant)") }
  }

  private static func distance(_ a: String, _ b: String) -> Int {
    NearestName.distance(Array(a.lowercased().utf8), Array(b.lowercased().utf8))
  }
}

@Suite struct TypoTests {
  private static let letters = Array("abcdefghijklmnopqrstuvwxyz_")

  /// The letters that are tried at a place: a ninth of them, others at each place.
  private static func letters(_ place: Int, _ name: [Character]) -> [Character] {
    letters.enumerated().filter { ($0.offset + place + name.count) % 9 == 0 }.map(\.element)
  }

  /// The texts that are one letter off: left out, put in, replaced, swapped with its neighbour.
  private static func typos(_ name: String) -> Set<String> {
    let name = Array(name)
    var typos: Set<String> = []
    func add(_ text: [Character]) { typos.insert(String(text)) }
    for place in 0...name.count {
      for letter in letters(place, name) { add(name[..<place] + [letter] + name[place...]) }
      guard place < name.count else { continue }
      add(Array(name[..<place] + name[(place + 1)...]))
      for letter in letters(place, name) { add(name[..<place] + [letter] + name[(place + 1)...]) }
      if place + 1 < name.count { add(name[..<place] + [name[place + 1], name[place]] + name[(place + 2)...]) }
    }
    typos.remove(String(name))
    return typos
  }

  private static func typo(_ name: String, _ random: inout Seeded) -> String {
    var name = Array(name)
    let place = Int.random(in: 0..<max(1, name.count), using: &random)
    let letter = letters.randomElement(using: &random) ?? "x"
    switch Int.random(in: 0..<4, using: &random) {
    case 0 where place < name.count: name.remove(at: place)
    case 1 where place < name.count: name[place] = letter
    case 2 where place + 1 < name.count: name.swapAt(place, place + 1)
    default: name.insert(letter, at: place)
    }
    return String(name)
  }

  @Test("one wrong letter: the right name is suggested, at least 98 times in 100")
  func oneLetter() {
    var rate = Rate()
    for set in NameSet.all {
      for name in set.names { for typo in Self.typos(name).sorted() { rate.judge(typo, meant: name, set.names) } }
    }
    print("one-letter typos: \(rate)")
    #expect(rate.all > 5000 && rate.value >= 0.98, "\(rate): \(rate.misses.prefix(40))")
  }

  @Test("two wrong letters: the right name is suggested, at least 90 times in 100")
  func twoLetters() {
    var random = Seeded(state: 20_260_115)
    var rate = Rate()
    for set in NameSet.all {
      for name in set.names where name.count > 3 {
        for _ in 0..<20 {
          let twice = Self.typo(Self.typo(name, &random), &random)
          if twice != name { rate.judge(twice, meant: name, set.names) }
        }
      }
    }
    print("two-letter typos (seed 20260115): \(rate)")
    #expect(rate.all > 2000 && rate.value >= 0.9, "\(rate): \(rate.misses.prefix(40))")
  }

  @Test("what is far from every name gets no suggestion", arguments: ["frequency", "xyz", "", "a", "whatever_it_is"])
  func far(name: String) {
    #expect(NearestName.to(name, among: ["event", "direction", "status", "call.id"]) == nil)
  }

  @Test("a name of any length is compared in no time")
  func long() {
    let long = String(repeating: "event", count: 100_000)
    #expect(NearestName.to(long, among: ["event"]) == nil)
    #expect(NearestName.to("evnt", among: [long, "event"]) == "event")
  }

  @Test("a suggestion in a file is the fix of its diagnostic")
  func fix() {
    let text = "version: 1\ntargets:\n  a: { type: \"slak\", hokk: x }\n"
    let fixes = ConfigLoader.load(text: text, file: "f").diagnostics.compactMap(\.fix)
    #expect(fixes == [.init(column: 14, endColumn: 20, text: "\"slack\"")])
    let typo = "version: 1\nroutse: {}\n"
    let fix = ConfigLoader.load(text: typo, file: "f").diagnostics.compactMap(\.fix)
    #expect(fix == [.init(column: 1, endColumn: 7, text: "routes")])
  }
}
