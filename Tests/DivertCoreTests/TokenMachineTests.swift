// Tokens: one request at a time, never above the cap, never one that has ended; and what parks a credential.
import Testing

@testable import DivertCore

@Suite struct TokenMachineTests {
  private static let start = Timestamp(milliseconds: 1_700_000_000_000)

  private static func definition(
    mints: RateLimit? = RateLimit(count: 10, per: .minutes(10)), expires: Span = .hours(1), secret: String = "s"
  ) -> OAuth2Definition {
    var definition = OAuth2Definition(
      grant: .refreshToken, tokenURL: Template(literal: "https://accounts.example.com/token"))
    definition.clientID = Template(literal: secret)
    definition.mints = mints
    definition.expires = expires
    return definition
  }

  /// A machine with one credential, and what it said last.
  private struct House {
    var machine = TokenMachine(seed: 7)
    var now = TokenMachineTests.start
    var standing = CredentialStanding.ready
    var alarm: String?
    var looks = 0

    init(_ definition: OAuth2Definition = TokenMachineTests.definition()) {
      machine.configure(["crm": definition], now: now)
    }

    /// A turn; returns the request that is to be sent.
    mutating func turn(after span: Span = .zero) -> TokenOrders {
      now = now + span
      let orders = machine.orders(now: now)
      for (_, standing) in orders.standings { self.standing = standing }
      for (_, text) in orders.alarms { alarm = text }
      looks += orders.looks.count
      return orders
    }

    /// A turn that must bring a request, and its answer.
    mutating func fetch(_ outcome: TokenOutcome, after span: Span = .zero) throws {
      let id = try #require(turn(after: span).fetches.first?.id)
      machine.fetched("crm", id, outcome, now: now)
    }

    mutating func refuse(_ name: String, _ serial: Int, again: Bool, renews: Bool) {
      let said = machine.refused(name, serial: serial, again: again, now: now)
      #expect(said == renews)
    }

    var token: String? { machine.access("crm", now: now)?.token }
  }

  private static func granted(_ name: String, life: Span? = .hours(1), refresh: String? = nil) -> TokenOutcome {
    .granted(TokenGrant(access: name, life: life, refresh: refresh))
  }

  @Test("a token is fetched at once, used until its end, and renewed before it while the old one goes on")
  func life() throws {
    var house = House()
    #expect(house.token == nil)
    try house.fetch(Self.granted("one"))
    #expect(house.turn().fetches.isEmpty)
    #expect(house.token == "one" && house.standing == .ready)
    #expect(house.turn(after: .minutes(54)).fetches.isEmpty)
    let id = try #require(house.turn(after: .minutes(1)).fetches.first?.id)
    #expect(house.token == "one" && house.standing == .ready)
    #expect(house.turn(after: .minutes(1)).fetches.isEmpty)
    house.machine.fetched("crm", id, Self.granted("two"), now: house.now)
    #expect(house.token == "two")
    #expect(house.machine.access("crm", now: house.now)?.serial == 2)
  }

  @Test("a token of a short life is renewed after half of it, and a life that is not said is the configured one")
  func lives() throws {
    var house = House(Self.definition(expires: .minutes(2)))
    try house.fetch(Self.granted("one", life: nil))
    #expect(house.turn(after: .seconds(59)).fetches.isEmpty)
    #expect(house.turn(after: .seconds(1)).fetches.count == 1)
    #expect(house.token == "one")
    _ = house.turn(after: .seconds(60))
    #expect(house.token == nil && house.standing == .away)
  }

  @Test("a refused token is renewed once for all that went out with it, and refused again it is no matter of age")
  func refused() throws {
    var house = House()
    try house.fetch(Self.granted("one"))
    _ = house.turn()
    house.refuse("crm", 1, again: false, renews: true)
    #expect(house.token == nil)
    let id = try #require(house.turn().fetches.first?.id)
    #expect(house.standing == .away)
    house.refuse("crm", 1, again: false, renews: true)
    #expect(house.turn().fetches.isEmpty)
    house.machine.fetched("crm", id, Self.granted("two"), now: house.now)
    house.refuse("crm", 1, again: false, renews: true)
    #expect(house.token == "two")
    house.refuse("crm", 2, again: true, renews: false)
    #expect(house.token == "two")
    house.refuse("other", 1, again: false, renews: false)
  }

  @Test("a trial that is refused parks nothing that has a token: the token goes on, and the next renewal decides")
  func trial() throws {
    var house = House()
    try house.fetch(Self.granted("one"))
    let refusal = Reason("credential_refused", "no")
    house.machine.renew("crm", now: house.now)
    try house.fetch(.refused(refusal))
    _ = house.turn()
    #expect(house.token == "one" && house.standing == .ready && house.alarm == nil)
    #expect(house.machine.standing("crm")?.state == .fresh && house.machine.standing("crm")?.reason == refusal)
    #expect(house.turn(after: .minutes(54)).fetches.isEmpty)
    try house.fetch(.refused(refusal), after: .minutes(1))
    _ = house.turn()
    #expect(house.token == "one" && house.machine.standing("crm")?.state == .parked)
    #expect(house.alarm?.contains("go on with the present token until") == true)
    _ = house.turn(after: .minutes(5))
    #expect(house.standing == .parked(refusal))
  }

  @Test("a new refresh token is on disk before the token that came with it is used; what cannot be kept waits")
  func rotated() throws {
    var house = House()
    try house.fetch(Self.granted("one", refresh: "r1"))
    #expect(house.token == nil)
    #expect(house.turn().keeps.map(\.refresh) == ["r1"])
    #expect(house.turn().keeps.isEmpty && house.token == nil && house.standing == .away)
    house.machine.kept("crm", Reason("storage_key_missing", "no key"), now: house.now)
    #expect(house.turn().keeps.isEmpty)
    #expect(house.standing == .parked(Reason("storage_key_missing", "no key")) && house.alarm != nil)
    let again = house.turn(after: TokenMachine.lookEvery)
    #expect(again.keeps.map(\.refresh) == ["r1"] && again.fetches.isEmpty)
    house.machine.kept("crm", nil, now: house.now)
    _ = house.turn()
    #expect(house.token == "one" && house.standing == .ready && house.alarm == nil)
  }

  @Test("a refused credential is parked with one alarm, tried every 15 minutes and when it is mended")
  func parked() throws {
    var house = House()
    try house.fetch(.refused(Reason("credential_refused", "invalid_grant")))
    let told = house.turn()
    #expect(told.alarms.count == 1 && house.alarm?.contains("divert auth crm") == true)
    #expect(house.standing == .parked(Reason("credential_refused", "invalid_grant")))
    #expect(house.turn(after: .minutes(14)).fetches.isEmpty && house.looks > 0)
    try house.fetch(.refused(Reason("credential_refused", "invalid_grant")), after: .minutes(1))
    #expect(house.turn().alarms.isEmpty)
    house.machine.mended("crm", now: house.now)
    try house.fetch(Self.granted("one"))
    let mended = house.turn()
    #expect(mended.alarms.count == 1 && house.alarm == nil && house.standing == .ready)
  }

  @Test("a parked renewal leaves the old token in use until its end")
  func parkedLate() throws {
    var house = House()
    try house.fetch(Self.granted("one"))
    try house.fetch(.refused(Reason("credential_refused", "invalid_grant")), after: .minutes(55))
    _ = house.turn()
    #expect(house.alarm != nil && house.standing == .ready && house.token == "one")
    _ = house.turn(after: .minutes(5))
    #expect(house.standing == .parked(Reason("credential_refused", "invalid_grant")))
  }

  @Test("a changed definition fetches anew, an equal one keeps its token, and one that is gone is forgotten")
  func configured() throws {
    var house = House()
    try house.fetch(Self.granted("one"))
    house.machine.configure(["crm": Self.definition()], now: house.now)
    #expect(house.token == "one")
    house.machine.configure(["crm": Self.definition(secret: "t")], now: house.now)
    #expect(house.token == nil)
    let old = try #require(house.turn().fetches.first?.id)
    house.machine.configure(["crm": Self.definition(secret: "u")], now: house.now)
    house.machine.fetched("crm", old, Self.granted("stale"), now: house.now)
    #expect(house.token == nil)
    house.machine.configure([:], now: house.now)
    #expect(house.turn().standings.map(\.standing) == [.ready])
    #expect(house.machine.names.isEmpty && house.machine.nextWake == nil)
  }

  @Test(
    "a new refresh token for the definition before this one is kept, its token is not used, and nothing is asked meanwhile"
  )
  func reconfiguredMeanwhile() throws {
    var house = House()
    let old = try #require(house.turn().fetches.first?.id)
    house.machine.configure(["crm": Self.definition(secret: "t")], now: house.now)
    #expect(house.turn().fetches.isEmpty && house.machine.nextWake == nil && house.machine.inFlight == 1)
    house.machine.fetched("crm", old, Self.granted("stale", refresh: "r1"), now: house.now)
    let orders = house.turn()
    #expect(orders.keeps.map(\.refresh) == ["r1"] && orders.fetches.isEmpty)
    house.machine.kept("crm", nil, now: house.now)
    #expect(house.token == nil)
    try house.fetch(Self.granted("new"))
    #expect(house.token == "new")
  }

  @Test("a refresh token that cannot be kept yet outlives a change of its definition")
  func reconfiguredUnkept() throws {
    var house = House()
    try house.fetch(Self.granted("one", refresh: "r1"))
    _ = house.turn()
    house.machine.kept("crm", Reason("storage_key_missing", "no key"), now: house.now)
    house.machine.configure(["crm": Self.definition(secret: "t")], now: house.now)
    let orders = house.turn()
    #expect(orders.keeps.map(\.refresh) == ["r1"] && orders.fetches.isEmpty)
    house.machine.kept("crm", nil, now: house.now)
    #expect(house.token == nil)
    try house.fetch(Self.granted("two"))
    _ = house.turn()
    #expect(house.token == "two" && house.alarm == nil)
  }

  @Test("a cap that leaves a credential without a token for long is an alarm, over with the next token")
  func capped() throws {
    var house = House(Self.definition(mints: RateLimit(count: 1, per: .minutes(10))))
    try house.fetch(Self.granted("one"))
    _ = house.turn()
    house.refuse("crm", 1, again: false, renews: true)
    #expect(house.turn(after: .seconds(1)).fetches.isEmpty)
    #expect(house.standing == .away && house.alarm?.contains("as `mints` allows (1 in 10m)") == true)
    try house.fetch(Self.granted("two"), after: .minutes(10))
    _ = house.turn()
    #expect(house.token == "two" && house.alarm == nil)
  }

  @Test("the last process's token requests count for the cap, and its alarm is over with the first token")
  func restored() throws {
    var house = House(Self.definition(mints: RateLimit(count: 2, per: .minutes(10))))
    house.machine.restore(
      mints: ["crm": [house.now - .minutes(9), house.now - .minutes(11), house.now - .minutes(1)]], now: house.now)
    #expect(house.turn().fetches.isEmpty && house.alarm == nil)
    #expect(house.machine.standing("crm")?.reason?.code == "mints_used_up")
    try house.fetch(Self.granted("one"), after: .minutes(1))
    let orders = house.turn()
    #expect(house.machine.standing("crm")?.reason == nil)
    #expect(orders.alarms.count == 1 && orders.alarms.first?.text == nil && house.token == "one")
    #expect(house.turn().alarms.isEmpty)
  }

  @Test("a token whose base address is refused parks the credential, and its refresh token is kept all the same")
  func base() throws {
    var house = House()
    var grant = TokenGrant(access: "one", refresh: "r1")
    grant.fault = Reason("base_refused", "evil.example.org")
    try house.fetch(.granted(grant))
    #expect(house.turn().keeps.count == 1)
    house.machine.kept("crm", nil, now: house.now)
    _ = house.turn()
    #expect(house.token == nil && house.standing == .parked(Reason("base_refused", "evil.example.org")))
  }

  @Test("whatever happens: one request at a time, never above the cap, never a token that has ended", arguments: 0..<40)
  func walk(seed: UInt64) throws {
    var random = SplitMix64(state: seed)
    let cap = RateLimit(count: Int.random(in: 1...5, using: &random), per: .minutes(10))
    var house = House(Self.definition(mints: cap))
    var underWay: TokenFetchID?
    var keeping = false
    var sent: [Timestamp] = []
    var ends: [String: Timestamp] = [:]
    var names = 0
    for _ in 0..<600 {
      let orders = house.turn(after: .seconds(Int64.random(in: 0...90, using: &random)))
      if let fetch = orders.fetches.first {
        #expect(orders.fetches.count == 1 && underWay == nil && !keeping)
        underWay = fetch.id
        sent.append(house.now)
        #expect(sent.count { house.now - $0 < cap.per } <= cap.count)
      }
      if !orders.keeps.isEmpty {
        #expect(!keeping && underWay == nil)
        keeping = true
      }
      if let token = house.token {
        let end = try #require(ends[token])
        #expect(house.now < end)
        #expect(house.standing == .ready)
      } else {
        #expect(house.standing != .ready)
      }
      switch Int.random(in: 0..<10, using: &random) {
      case 0, 1, 2:
        guard let id = underWay else { break }
        underWay = nil
        names += 1
        let life = Span.seconds(Int64.random(in: 1...1200, using: &random))
        ends["t\(names)"] = sent[sent.count - 1] + life
        let rotates = Bool.random(using: &random)
        house.machine.fetched(
          "crm", id, Self.granted("t\(names)", life: life, refresh: rotates ? "r\(names)" : nil), now: house.now)
      case 3:
        guard let id = underWay else { break }
        underWay = nil
        let reason = Reason("http_503", "busy")
        let parks = Bool.random(using: &random)
        house.machine.fetched(
          "crm", id, parks ? .refused(reason) : .failed(reason, wait: .seconds(5)), now: house.now)
      case 4:
        guard keeping else { break }
        keeping = false
        house.machine.kept("crm", Bool.random(using: &random) ? nil : Reason("io", "full"), now: house.now)
      case 5:
        guard let access = house.machine.access("crm", now: house.now) else { break }
        let old = Bool.random(using: &random)
        _ = house.machine.refused(
          "crm", serial: access.serial - (old ? 1 : 0), again: Bool.random(using: &random), now: house.now)
      case 6: house.machine.mended("crm", now: house.now)
      case 7: house.machine.renew("crm", now: house.now)
      case 8: house.machine.configure(["crm": Self.definition(mints: cap)], now: house.now)
      default: break
      }
      // What a fact changed is told in the turn that follows it at once.
      _ = settle(&house, &underWay, &keeping, &sent)
    }
    #expect(names > 0)
  }

  /// The turn that ends with the fact.
  private func settle(
    _ house: inout House, _ underWay: inout TokenFetchID?, _ keeping: inout Bool, _ sent: inout [Timestamp]
  ) -> Bool {
    let orders = house.turn()
    if let fetch = orders.fetches.first {
      #expect(underWay == nil)
      underWay = fetch.id
      sent.append(house.now)
    }
    if !orders.keeps.isEmpty { keeping = true }
    return !orders.fetches.isEmpty
  }
}
