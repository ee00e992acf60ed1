// Where secrets come from, read at the moment of use: systemd's credentials, a folder, the environment.
// Values are never described.
import FoundationEssentials

/// Looks secrets up by name. Holds folders' paths and variables, no value that it has read.
package struct SecretStore: Sendable {
  private let folders: [String]
  private let environment: [String: String]

  /// - Parameters:
  ///   - folder: where `--secrets` points: one file a secret.
  ///   - environment: the process's; `$CREDENTIALS_DIRECTORY` in it, systemd's folder, comes before `folder`.
  package init(folder: String?, environment: [String: String]) {
    folders = [environment["CREDENTIALS_DIRECTORY"], folder].compactMap { $0 }.filter { !$0.isEmpty }
    self.environment = environment
  }

  /// The secret's value: the file of that name without line breaks at its end, else the variable. Nil: there is none,
  /// or it is empty, not UTF-8 text, or has a name that is no plain file name.
  package func value(_ name: String) -> String? {
    guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.utf8.contains(0) else { return nil }
    for folder in folders {
      if let data = FileManager.default.contents(atPath: "\(folder)/\(name)") { return Self.text(data) }
    }
    return environment[Self.variable(name)].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The environment variable of a secret: `DIVERT_SECRET_CRM_TOKEN`.
  package static func variable(_ name: String) -> String {
    let letters = name.utf8.map { byte -> Character in
      let isLetter = (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)
      return isLetter || (byte >= 48 && byte <= 57) ? Character(Unicode.Scalar(byte)) : "_"
    }
    return "DIVERT_SECRET_" + String(letters).uppercased()
  }

  private static func text(_ data: Data) -> String? {
    guard var text = String(validating: data, as: UTF8.self) else { return nil }
    while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
    return text.isEmpty ? nil : text
  }
}

extension SecretStore: CustomStringConvertible, CustomReflectable {
  package var description: String { "secrets from \(folders.joined(separator: ", ")) and the environment" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
