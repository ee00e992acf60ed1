// The guide's four systems as targets on this machine: a CRM, a Zapier hook, DoubleTick's text API and a Slack hook.

import DivertCore
import Foundation
import TestSupport

/// A router for the guide's case with every target played by `TestSupport`.
struct Collections {
  let crm = MisbehavingTarget()
  let zapier = MisbehavingTarget { _ in .json(#"{"status":"success"}"#) }
  let whatsapp = MisbehavingTarget { _ in
    .json(#"{"recipient":"919876543210","status":"SENT","messageId":"m"}"#, status: 201)
  }
  let slack = MisbehavingTarget { _ in .json("ok") }
  let router: RouterProcess
  static let key = "k3y-of-the-source-that-nobody-guesses"

  /// `retry`: of every target.
  init(retry: String = "{ for: 24h, backoff: 100ms..1s }") throws {
    let config = """
      version: 1
      timezone: Asia/Kolkata
      country: IN
      sources:
        doubletick: { type: doubletick, key: "{{ secrets.ingest_key }}" }
      defaults:
        retry: \(retry)
        order_by: customer.phone
      targets:
        crm:
          url: \(crm.url("/api"))
          network: private
          auth: { bearer: "{{ secrets.crm_token }}" }
          actions:
            log_call:
              post: /calls
              body: { direction: "{{ direction }}", call_id: "{{ call.id }}", customer: "{{ customer.phone }}", agent: "{{ agent? }}", device: "{{ device.id? }}", at: "{{ at }}" }
        whatsapp: { type: doubletick, key: "{{ secrets.doubletick_key }}", url: "\(whatsapp.url(""))", network: private, ambiguous: park }
        team_lead: { type: slack, hook: "{{ secrets.slack_hook }}", network: private }
        automation: { type: zapier, hook: "{{ secrets.zapier_hook }}", network: private }
      routes:
        agent-declined:
          when: { event: CALL_REJECTED, direction: INCOMING }
          send:
            - crm.log_call
            - automation.event
            - team_lead.alert: "{{ agent | default: 'An agent' }} declined a call from {{ customer.name }} ({{ customer.phone | mask }})"
            - whatsapp.text: "We missed your call and we apologise."
        borrower-declined:
          when: { event: CALL_REJECTED, direction: OUTGOING }
          send: [crm.log_call, automation.event]
      """
    router = try RouterProcess(
      config: config,
      secrets: [
        "ingest_key": Self.key, "crm_token": "crm-t0ken", "doubletick_key": "dt-k3y",
        "slack_hook": slack.url("/services/T0/B0/x"), "zapier_hook": zapier.url("/hooks/catch/1/abc"),
      ])
  }

  /// Posts a sample and returns its event's id.
  func post(_ sample: SampleEvent, call: String, phone: String = "919876543210") async throws -> String {
    let answer = try await router.post(
      sample.body(callID: call, phone: phone, at: Timestamp(milliseconds: 1_768_473_025_000)), key: Self.key)
    guard answer.status == 200, let id = answer.answer["id"]?.string else {
      throw RouterProcess.Failure(description: "not accepted: \(answer)")
    }
    return id
  }
}

extension ReceivedRequest {
  var json: JSONValue { (try? JSONValue.parse(body)) ?? .null }
}

extension RouterProcess {
  /// Waits until so many deliveries at least were planned and all have ended, by the metrics' count.
  func untilSettled(planned: Int) async throws {
    try await until("\(planned) deliveries end") {
      let totals = try await targetCounts()
      return totals.planned >= planned && totals.ended == totals.planned
    }
  }

  /// Sums over all targets from `/metrics`.
  func targetCounts() async throws -> (planned: Int, ended: Int) {
    let text = try await get("/metrics").answer.string ?? ""
    var (planned, ended) = (0, 0)
    for line in text.split(separator: "\n") where line.hasPrefix("divert_deliveries_total") {
      let count = line.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0
      if line.contains("state=\"planned\"") { planned += count } else { ended += count }
    }
    return (planned, ended)
  }

  /// A moment between two looks at a process of its own, which has no signal to wait on.
  func pause() async throws { _ = try await background { poll(nil, 0, 20) } }
}
