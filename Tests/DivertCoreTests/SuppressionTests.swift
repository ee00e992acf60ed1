// The suppression list as a snapshot, and whom an entry holds back.

import DivertCore
import Testing

@Suite struct SuppressionTests {
  private func entry(_ phone: String, all: Bool = false, until: Timestamp? = nil) -> Suppression {
    Suppression(phone: phone, reason: "grievance", coversAnswers: all, since: moment, until: until)
  }

  @Test("an entry holds until its end, and for its phone alone")
  func holds() {
    let list = SuppressionList([entry("+1"), entry("+2", until: moment + .hours(1))])
    #expect(list.entry(for: "+1", at: .distantFuture)?.phone == "+1")
    #expect(list.entry(for: "+2", at: moment + .minutes(59)) != nil)
    #expect(list.entry(for: "+2", at: moment + .hours(1)) == nil)
    #expect(list.entry(for: "+3", at: moment) == nil && list.entry(for: nil, at: moment) == nil)
  }

  @Test("changes are applied in their order; a phone has one entry")
  func changes() {
    let list = SuppressionList()
    list.apply([.add(entry("+1")), .add(entry("+2")), .add(entry("+1", all: true)), .remove(phone: "+2", at: moment)])
    #expect(list.all == [entry("+1", all: true)])
    list.replace(with: [entry("+9"), entry("+5")])
    #expect(list.all.map(\.phone) == ["+5", "+9"])
  }

  @Test("outreach is withheld by every entry, an answer by those that cover answers")
  func classes() {
    #expect(entry("+1").withholds(.outreach) && !entry("+1").withholds(.answer))
    #expect(entry("+1", all: true).withholds(.outreach) && entry("+1", all: true).withholds(.answer))
  }
}
