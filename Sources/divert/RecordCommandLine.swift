// `record head|verify|show|export|check`: the record that cannot be changed unseen, and what it says of one customer.

import ArgumentParser
import DivertCore
import DivertServer
import Foundation

struct Record: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The record that cannot be changed unseen: its head, its verification, one customer's history.",
    subcommands: [Head.self, Verify.self, Show.self, Export.self, CheckExtract.self])

  struct Head: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Where the record stands, as ENTRY:HASH, to be kept elsewhere; and the key that signs extracts.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      try await Desk.open(options) { desk in
        let head = try await desk.get("/api/record/head")
        if output.format == .json { return Console.print(json: head) }
        Console.print(head.cell("head"))
        Console.print("extracts are signed by \(head.cell("key"))")
        let last = head.cell("published_at").orNil.map { "last published \($0)" }
        Console.print(last ?? "no head was published yet: `record: { publish: <target>.<action>, every: 1d }` does it")
      }
    }
  }

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Walk the whole chain beside the store; name whatever is not as it was sealed.",
      discussion: """
        A running router is asked; else the data folder is read as it lies, and nothing is written. Heads that are known \
        elsewhere make the proof: without --head the last one that was published and delivered is taken, as the store tells it. \
        Exit status 1 when anything is not as it was sealed.
        """)
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "A head that is known elsewhere, ENTRY:HASH; may be said several times.") var head: [String] = []
    @Option(help: "A store's file, such as a backup, in place of the router's.") var store: String?

    func run() async throws {
      let verdict = try await verdict()
      if output.format == .json { Console.print(json: verdict) } else { RecordLines.print(verdict: verdict) }
      if verdict["holds"]?.bool != true { throw ExitCode(1) }
    }

    private func verdict() async throws -> JSONValue {
      do {
        if let store { return try RecordVerification.verify(path: store, heads: head) }
        let key = RouterOptions.value(nil, "DIVERT_OPERATOR_KEY")
        if try OperatorChannel.running(options.serve, address: options.operator, key: key) == nil,
          let path = RecordVerification.store(of: options.serve)
        {
          Console.note("no router is running: reading \(path)")
          return try RecordVerification.verify(path: path, heads: head)
        }
      } catch let failure as OperatorFailure {
        throw Console.fail(failure)
      } catch let error as StoreError {
        throw Console.fail(error.description)
      }
      var verdict = JSONValue.null
      try await Desk.open(options) { desk in
        verdict = try await desk.get("/api/record/verify", ["heads": head.isEmpty ? nil : head.joined(separator: ",")])
      }
      return verdict
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "One customer's history, whole and in order: events, deliveries, promises, suppressions.")
    @OptionGroup var options: RouterOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The phone number, with its country code.") var phone: String

    func run() async throws {
      try await Desk.open(options) { desk in
        let history = try await desk.get("/api/record", ["phone": phone])
        if output.format == .json { Console.print(json: history) } else { RecordLines.print(history: history) }
      }
    }
  }

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write one customer's history to a signed JSON file and a page to read and print.")
    @OptionGroup var options: RouterOptions
    @Argument(help: "The phone number, with its country code.") var phone: String
    @Option(help: "The folder to write to.") var to = "."

    func run() async throws {
      try await Desk.open(options) { desk in
        let answer = try await desk.get("/api/record/export", ["phone": phone])
        let document = answer["document"] ?? .null
        let digits = document.cell("phone").filter(\.isNumber)
        let name = "record-\(digits)-\(document.cell("made_at").prefix(10))"
        try? FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
        let bytes = document.prettyEncoded() + [UInt8(ascii: "\n")]
        try Self.write(bytes, to + "/" + name + ".json")
        try Self.write(Array((answer["page"]?.string ?? "").utf8), to + "/" + name + ".html")
      }
    }

    private static func write(_ bytes: [UInt8], _ path: String) throws {
      let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
      guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: attributes) else {
        throw Console.fail("cannot write \(path): look at the folder, and at who may write there")
      }
      Console.print(path)
    }
  }

  struct CheckExtract: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Whether an exported file is as it was signed, and its seals hold together; needs no router.",
      discussion: "Exit status 1 when it is not.")
    @Argument(help: "The JSON file that `divert record export` wrote.") var file: String
    @Option(help: "The signer's key, as `divert record head` prints it: ed25519:…") var key: String?

    func run() async throws {
      guard let data = FileManager.default.contents(atPath: file) else {
        throw Console.fail("cannot read \(file): give the file that `divert record export` wrote")
      }
      guard let document = try? JSONValue.parse(Array(data)) else { throw Console.fail("\(file) is not JSON") }
      let faults = RecordExtract.faults(document, key: key)
      for fault in faults { Console.print("problem: \(Console.safe(fault))") }
      if !faults.isEmpty { throw ExitCode(1) }
      for id in RecordExtract.unsealed(document) { Console.print("\(id) has no seal: it came before the record began") }
      let seals = document.items("seals").count
      Console.print("as it was signed: \(seals) seals in \(document.items("chain").count) entries of the chain hold")
      Console.print(
        "signed by \(document.cell("key"))" + (key == nil ? "; hold that against the key known elsewhere" : ""))
    }
  }
}
