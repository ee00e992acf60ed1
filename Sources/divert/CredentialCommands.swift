// `credentials` and `auth`: which tokens there are, how the first one is got, and whether one is given.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

struct Credentials: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Every credential: whether it has a token, until when, and why not.")
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await Desk.open(options) { desk in
      let rows = try await desk.get("/api/credentials")
      if output.format == .json { return Console.print(json: rows) }
      if rows.array?.isEmpty ?? true { Console.print("there are no credentials in the routes file") }
      CredentialTable.print(rows.array ?? [])
    }
  }
}

enum CredentialTable {
  static func print(_ rows: [JSONValue]) {
    Console.table(
      ["credential", "state", "grant", "until", "targets"],
      rows.map { row in
        let targets = row.items("targets").compactMap(\.string).joined(separator: ", ")
        return [row.cell("credential"), row.cell("state"), row.cell("grant"), row.cell("until"), targets]
      })
    for row in rows where row["reason"] != nil && row.cell("state") == "fresh" {
      Console.print(
        "  \(row.cell("credential")) has a token; the last try for another failed: "
          + Console.safe(row.cell("reason", "sentence")))
    }
    for row in rows where row["reason"] != nil && row.cell("state") != "fresh" {
      let since = row.cell("since").orNil.map { " since \($0)" } ?? ""
      let next = row.cell("next_at").orNil.map { "; tried again at \($0)" } ?? ""
      Console.print(
        "  \(row.cell("credential")) is \(row.cell("state"))\(since): \(Console.safe(row.cell("reason", "sentence")))\(next)"
      )
    }
  }
}

struct Auth: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Get a credential's first refresh token from its vendor, or try a credential.",
    discussion: """
      Without a flag it prints the address where you allow the access, and asks for the address that your browser ends at \
      (or the code in it). Where nobody can be asked, run it again with --code.
      """)
  @OptionGroup var options: RouterOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "The credential's name.") var credential: String
  @Flag(help: "Fetch a token and say how long it lives; the token is not shown.") var test = false
  @Option(help: "The code, or the whole address that the browser ended at.") var code: String?

  func run() async throws {
    try await Desk.open(options) { desk in
      if test { return try await tryIt(desk) }
      let asked = try await desk.post("/api/credentials/authorize", [("credential", .string(credential))])
      guard let given = code ?? ask(asked) else { return }
      try await exchange(given, asked, desk)
    }
  }

  private func tryIt(_ desk: Desk) async throws {
    let answer = try await desk.post("/api/credentials/test", [("credential", .string(credential))])
    if output.format == .json { return Console.print(json: answer) }
    Console.print("credential \(credential) gets tokens\(Self.said(answer))")
  }

  /// What a token is, as far as it may be told.
  private static func said(_ answer: JSONValue) -> String {
    var words: [String] = []
    if let life = answer["life_seconds"]?.integer { words.append("good for \(OperatorTime.words(.seconds(life)))") }
    if let scope = answer.cell("scope").orNil { words.append("scope \(Console.safe(scope))") }
    if let base = answer.cell("base").orNil { words.append("its targets are at \(base)") }
    return words.isEmpty ? "" : ": " + words.joined(separator: ", ")
  }

  /// Says where to go, and reads what comes back from there; nil where nobody can be asked.
  private func ask(_ asked: JSONValue) -> String? {
    if output.format == .json {
      Console.print(json: asked)
      return nil
    }
    if let url = asked.cell("url").orNil {
      Console.print(
        "Open this address, sign in with the account that Divert is to use, and allow the access:\n\n  \(url)\n")
      let redirect = asked.cell("redirect_uri").orNil ?? "the redirect address of your app"
      Console.print("Your browser then goes to \(redirect), which may well fail to load: its address is what counts.")
    } else {
      Console.print("Make a code for this app at the vendor's (credential \(credential) has no authorize_url).")
    }
    guard isatty(STDIN_FILENO) == 1 else {
      Console.print("Then: divert auth \(credential) --code '<that address, or the code in it>'")
      return nil
    }
    FileHandle.standardOutput.write(Data("Paste that address, or the code in it: ".utf8))
    return readLine(strippingNewline: true).flatMap { $0.isEmpty ? nil : $0 }
  }

  private func exchange(_ given: String, _ asked: JSONValue, _ desk: Desk) async throws {
    let pasted: PastedCode
    do { pasted = try PastedCode(given, state: asked.cell("state").orNil) } catch let fault
      as PastedCode.Fault
    { throw Console.fail(fault.sentence) }
    let answer = try await desk.post(
      "/api/credentials/exchange", [("credential", .string(credential)), ("code", .string(pasted.code))])
    if output.format == .json { return Console.print(json: answer) }
    Console.print("the refresh token of \(credential) is kept, encrypted\(Self.said(answer))")
    Console.print("try it: divert auth \(credential) --test")
  }
}

/// What an operator brings back: a code, or the address with it.
struct PastedCode {
  struct Fault: Error { var sentence: String }

  let code: String

  /// `state`: what the address must carry where it carries one; nil: whatever it does.
  init(_ text: String, state: String?) throws {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.contains("://") || text.contains("code=") else {
      code = text
      return
    }
    let items = Self.items(text)
    if let error = items["error"] {
      throw Fault(sentence: "the vendor refused: \(Console.safe(items["error_description"] ?? error))")
    }
    guard let found = items["code"], !found.isEmpty else {
      throw Fault(
        sentence: "there is no `code=` in that address: copy the whole of it, after you have allowed the access")
    }
    if let state, let given = items["state"], given != state {
      throw Fault(
        sentence: "that address was not made for this credential (its `state` differs): open the address that "
          + "`divert auth` prints, and bring the one that your browser ends at")
    }
    code = found
  }

  private static func items(_ text: String) -> [String: String] {
    let query = text.split(separator: "?", maxSplits: 1).last ?? ""
    var items: [String: String] = [:]
    for pair in query.prefix(while: { $0 != "#" }).split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = (parts.count > 1 ? String(parts[1]) : "").replacingOccurrences(of: "+", with: " ")
      items[String(parts[0])] = value.removingPercentEncoding ?? value
    }
    return items
  }
}
