// `server.listen.tls`: the certificate's files → what the ingest address is served with, or why they cannot be.

import DivertCore
import FoundationEssentials
import NIOSSL

/// The files of `server.listen.tls`, whose paths start at the routes file's folder.
struct TLSFiles {
  private let certificate: String
  private let key: String

  /// `besides`: the routes file.
  init(_ settings: ServerSettings.TLS, besides config: String) {
    func path(_ file: String) -> String {
      if file.hasPrefix("/") { return file }
      let folder = config.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      return (folder + [Substring(file)]).joined(separator: "/")
    }
    certificate = path(settings.certificate)
    key = path(settings.key)
  }

  /// Reads them.
  func configuration() throws(ServeFailure) -> TLSConfiguration {
    for file in [certificate, key] where !FileManager.default.isReadableFile(atPath: file) {
      throw ServeFailure(
        "server.listen.tls: there is no file \(file) that can be read (paths start at the routes file's folder)")
    }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
      let key = try NIOSSLPrivateKey(file: key, format: .pem)
      return TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
    } catch {
      throw ServeFailure("server.listen.tls: cannot read \(certificate) and \(key) as PEM: \(error)")
    }
  }
}
