// An extract of the record as a page to read, print and hand over: one file, no scripts, nothing fetched.

import DivertCore

enum RecordPage {
  static func html(_ document: JSONValue, zone: Zone) -> String {
    let page = Page(document: document, zone: zone)
    let title = "Record of \(document.text("phone"))"
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(HTMLText.escaped(title))</title>
      <style>\(style)</style></head><body>
      <h1>\(HTMLText.escaped(title))</h1>
      \(page.summary)
      <h2>What happened</h2>
      \(page.history)
      <h2>How this can be checked</h2>
      \(page.proof)
      </body></html>

      """
  }

  private static let style = """
    body{font:14px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}
    h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #999}
    table{border-collapse:collapse;width:100%;font-size:12px}th,td{text-align:left;padding:.2rem .5rem .2rem 0;vertical-align:top}
    th{border-bottom:1px solid #999}section{margin:1rem 0;padding-left:.8rem;border-left:3px solid #ccc;break-inside:avoid}
    h3{margin:0;font-size:1rem}p{margin:.3rem 0}code,pre{font:11px/1.4 ui-monospace,monospace;word-break:break-all;white-space:pre-wrap}
    .quiet{color:#555}@media print{body{margin:0;max-width:none}}
    """
}

/// Text within a page.
enum HTMLText {
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      default:
        let isOrder = scalar.properties.isBidiControl || scalar.properties.generalCategory == .control
        if isOrder, scalar != "\n" {
          out += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out
  }
}

private struct Page {
  let document: JSONValue
  let zone: Zone

  private func text(_ value: JSONValue?) -> String { HTMLText.escaped(value?.string ?? value?.text ?? "") }

  private func items(_ value: JSONValue, _ name: String) -> [JSONValue] { value[name]?.array ?? [] }

  /// A moment as it stands in the document, and in the zone of the configuration.
  private func moment(_ value: JSONValue?) -> String {
    guard let text = value?.string, let moment = Timestamp(iso8601: text, in: .utc) else { return self.text(value) }
    return HTMLText.escaped(moment.iso8601(in: zone))
  }

  private func row(_ name: String, _ value: String) -> String {
    value.isEmpty ? "" : "<tr><th>\(name)</th><td>\(value)</td></tr>"
  }

  var summary: String {
    """
    <table>\(row("Customer", text(document["phone"])))\(row("Made", moment(document["made_at"])))\
    \(row("Events", text(document["events"])))\(row("Made by", text(document["made_by"])))\
    \(row("Signed by", "<code>\(text(document["key"]))</code>"))</table>
    <p class="quiet">Times are in the time zone \(HTMLText.escaped(zone.identifier)).</p>
    """
  }

  var history: String { items(document, "history").map(section).joined(separator: "\n") }

  private func section(_ entry: JSONValue) -> String {
    entry["kind"]?.string == "event" ? event(entry) : suppression(entry)
  }

  private func event(_ entry: JSONValue) -> String {
    let event = entry["event"] ?? .null
    let facts = [
      row("Received", moment(event["received_at"]) + " from " + text(event["source"])),
      row("Call", text(event["call"]?["id"])), row("Agent", text(event["agent"])),
      row("Business number", text(event["waba"])), row("Direction", text(event["direction"])),
      row("Duration", text(event["call"]?["duration"])), row("Failed because", text(event["call"]?["failed_reason"])),
      row("Customer's name", text(event["customer"]?["name"])), row("Configuration", text(entry["configuration"])),
      row("Sealed in entry", entryNumber(text(event["id"]))),
    ]
    return """
      <section><h3>\(moment(entry["at"])) · \(text(event["event"]))</h3>
      <p class="quiet">\(text(event["id"]))</p><table>\(facts.joined())</table>
      \(items(entry, "deliveries").map(delivery).joined())\(items(entry, "promises").map(promise).joined())</section>
      """
  }

  private func delivery(_ delivery: JSONValue) -> String {
    let reason = delivery["reason"].map { ": " + text($0["sentence"]) } ?? ""
    let attempts = items(delivery, "attempts").map { attempt in
      "<tr><td>\(moment(attempt["at"]))</td><td>\(text(attempt["stage"]))</td><td>\(text(attempt["outcome"]))</td>"
        + "<td>\(text(attempt["status"]))</td><td>\(text(attempt["reason"]?["sentence"]))</td></tr>"
    }
    let table =
      attempts.isEmpty
      ? ""
      : "<table><tr><th>Attempt</th><th>Asked</th><th>Outcome</th><th>Status</th><th>Why</th></tr>"
        + attempts.joined() + "</table>"
    return """
      <p><b>\(text(delivery["target"])).\(text(delivery["action"]))</b> \(text(delivery["state"]))\(reason)
      <span class="quiet">(\(text(delivery["id"])), route \(text(delivery["route"])))</span></p>\(table)
      """
  }

  private func promise(_ promise: JSONValue) -> String {
    let kept = promise["kept_by"].map { " by \(text($0)) at \(moment(promise["kept_at"]))" } ?? ""
    let standing = text(promise["standing"]).replacing("_", with: " ")
    return """
      <p><b>Promise</b> of route \(text(promise["route"])), due \(moment(promise["deadline"])): \(standing)\(kept)</p>
      """
  }

  private func suppression(_ entry: JSONValue) -> String {
    let isAdded = entry["change"]?.string == "added"
    let scope = entry["answers"]?.bool == true ? "all messages" : "messages on the business's own account"
    let until = entry["until"].map { " until \(moment($0))" } ?? ""
    let what = isAdded ? "No more \(scope)\(until): \(text(entry["reason"]))" : "Messages are allowed again"
    return """
      <section><h3>\(moment(entry["at"])) · Suppression \(isAdded ? "added" : "removed")</h3><p>\(what)</p>
      <p class="quiet">change \(text(entry["number"])), sealed in entry \(entryNumber(text(entry["number"])))</p></section>
      """
  }

  private func entryNumber(_ id: String) -> String {
    items(document, "seals").first { $0["id"]?.string == id }.map { text($0["entry"]) }
      ?? "none: it came before the record"
  }

  // MARK: Proof

  var proof: String {
    let chain = items(document, "chain").map { entry in
      let at = entry["at"]?.integer.map { Timestamp(milliseconds: $0).iso8601(in: zone) } ?? ""
      let ids = items(document, "seals").filter { $0["entry"] == entry["entry"] }.map { text($0["id"]) }
      return
        "<tr><td>\(text(entry["entry"]))</td><td>\(HTMLText.escaped(at))</td><td>\(ids.joined(separator: "<br>"))</td>"
        + "<td><code>\(text(entry["head"]))</code></td></tr>"
    }
    let published = document["published_head"].map {
      "<p>The last head that was published outside: <code>\(text($0))</code></p>"
    }
    return """
      <p>Everything above was sealed when it happened, in a chain in which each entry has the hash of all before it. The signed \
      file beside this page has the same content with the sealed bytes; <code>divert record check FILE</code> verifies it, and \
      <code>divert record verify --head ENTRY:HASH</code> holds the whole chain against a head that is known elsewhere.</p>
      <p>When this was made the chain stood at <code>\(text(document["head"]))</code></p>\(published ?? "")
      <table><tr><th>Entry</th><th>Time</th><th>Seals</th><th>Head (SHA-256)</th></tr>\(chain.joined())</table>
      <p>Signature (Ed25519) of the file: <code>\(text(document["signature"]))</code></p>
      """
  }
}

extension JSONValue {
  fileprivate func text(_ name: String) -> String { self[name]?.string ?? "" }
}
