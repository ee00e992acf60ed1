// The key that signs extracts of the record: a file of the data folder, made once.

package import DivertCore

/// `record-key`: 32 bytes as hexadecimal digits, readable by its owner alone.
package enum RecordKeyFile {
  package static let name = "record-key"

  /// What the file holds; where there is none, it is made of `fresh` and is on disk when this returns.
  /// - Throws: `corrupt` for a file that is no key.
  package static func read(folder: String, orMake fresh: () -> [UInt8]) throws(StoreError) -> [UInt8] {
    let path = folder + "/" + name
    if !DurableFile.isFile(path) {
      try DurableFile.write(Array((HexBytes.text(fresh()) + "\n").utf8), to: path)
      try DurableFile.sync(folder)
    }
    let text = String(decoding: try DurableFile.read(path, limit: 4096), as: UTF8.self)
    let line = text.split(whereSeparator: \.isWhitespace).joined()
    guard let bytes = HexBytes.decode(line), bytes.count == 32 else {
      throw StoreError(
        code: "corrupt", description: "\(path) is no key of 64 hexadecimal digits; put it back as it was, or remove it")
    }
    return bytes
  }
}
