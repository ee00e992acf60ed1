// A credential → the request that fetches its token (RFC 6749, sections 4.1.3, 4.4 and 6; RFC 7523).

/// What a token is asked for with.
package enum TokenProof: Sendable {
  case refresh(String)
  case client
  /// Signs the assertion: PEM and the text to sign in, the signature (RS256) out.
  case assertion(@Sendable (_ pem: String, _ text: [UInt8]) throws(RenderFault) -> [UInt8])
  /// What an operator brought back from the authorize_url.
  case code(String, redirect: String?)
}

package enum TokenRequest {
  /// - Parameter secrets: resolved; they go nowhere but to the token_url.
  package static func render(
    _ definition: OAuth2Definition, _ proof: TokenProof, secrets: SecretUse, now: Timestamp
  ) throws(RenderFault) -> RenderedRequest {
    let context = RenderContext(event: nil, now: now, secrets: secrets)
    let url = try context.text(definition.tokenURL) ?? ""
    try RequestURL.check(token: url)
    var request = RenderedRequest(method: "POST", url: url, headers: [], body: [])
    request.set("Content-Type", "application/x-www-form-urlencoded")
    request.set("Accept", "application/json")
    var form = try fields(definition, proof, context)
    try identify(definition, context, &form, &request)
    if case .code = proof {
    } else if let scope = try definition.scope.flatMap({ (t) throws(RenderFault) in try context.text(t) }) {
      form.append(("scope", scope))
    }
    for field in definition.form {
      if let value = try context.text(field.value) { form.append((field.name, value)) }
    }
    request.body = encoded(form)
    return request
  }

  /// Where an operator is sent to allow access: the authorize_url with what RFC 6749, section 4.1.1, wants.
  package static func authorizeURL(
    _ definition: OAuth2Definition, state: String, secrets: SecretUse
  ) throws(RenderFault) -> String? {
    guard let template = definition.authorizeURL else { return nil }
    let context = RenderContext(event: nil, now: Timestamp(milliseconds: 0), secrets: secrets)
    let url = try context.text(template) ?? ""
    var items = [("response_type", "code")]
    for (name, template) in [
      ("client_id", definition.clientID), ("redirect_uri", definition.redirectURI), ("scope", definition.scope),
    ] {
      if let template, let value = try context.text(template) { items.append((name, value)) }
    }
    items.append(("state", state))
    return url + (url.contains("?") ? "&" : "?") + String(decoding: encoded(items), as: UTF8.self)
  }

  private static func fields(
    _ definition: OAuth2Definition, _ proof: TokenProof, _ context: RenderContext
  ) throws(RenderFault) -> [(String, String)] {
    switch proof {
    case .refresh(let token): return [("grant_type", "refresh_token"), ("refresh_token", token)]
    case .client: return [("grant_type", "client_credentials")]
    case .code(let code, let redirect):
      return [("grant_type", "authorization_code"), ("code", code)] + (redirect.map { [("redirect_uri", $0)] } ?? [])
    case .assertion(let sign):
      let assertion = try assertion(definition, context, sign)
      return [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)]
    }
  }

  /// The app's own name and secret, in the body or as RFC 6749, section 2.3.1, wants them in the header: form-encoded.
  private static func identify(
    _ definition: OAuth2Definition, _ context: RenderContext, _ form: inout [(String, String)],
    _ request: inout RenderedRequest
  ) throws(RenderFault) {
    let id = try definition.clientID.flatMap { (t) throws(RenderFault) in try context.text(t) }
    let secret = try definition.clientSecret.flatMap { (t) throws(RenderFault) in try context.text(t) }
    if definition.clientAuth == .basic, let id, let secret {
      let pair = PercentEncoding.encoded(id) + ":" + PercentEncoding.encoded(secret)
      request.set("Authorization", "Basic " + Base64.encoded(Array(pair.utf8)))
      return
    }
    if let id { form.append(("client_id", id)) }
    if let secret { form.append(("client_secret", secret)) }
  }

  private static func assertion(
    _ definition: OAuth2Definition, _ context: RenderContext,
    _ sign: (String, [UInt8]) throws(RenderFault) -> [UInt8]
  ) throws(RenderFault) -> String {
    let now = CivilTime.floorDivide(context.now.milliseconds, 1000).0
    var claims = JSONObject()
    claims["iss"] = .string(try definition.issuer.flatMap { (t) throws(RenderFault) in try context.text(t) } ?? "")
    if let subject = try definition.subject.flatMap({ (t) throws(RenderFault) in try context.text(t) }) {
      claims["sub"] = .string(subject)
    }
    claims["aud"] = .string(try context.text(definition.audience ?? definition.tokenURL) ?? "")
    // Vendors that want the scope within the assertion refuse it elsewhere no more than others refuse it here.
    if let scope = try definition.scope.flatMap({ (t) throws(RenderFault) in try context.text(t) }) {
      claims["scope"] = .string(scope)
    }
    claims["iat"] = .number(now)
    claims["exp"] = .number(now + definition.lifetime.milliseconds / 1000)
    let header: JSONValue = ["alg": "RS256", "typ": "JWT"]
    let text = base64URL(header.encoded()) + "." + base64URL(JSONValue.object(claims).encoded())
    let pem = try definition.privateKey.flatMap { (t) throws(RenderFault) in try context.text(t) } ?? ""
    return text + "." + base64URL(try sign(pem, Array(text.utf8)))
  }

  /// RFC 4648, section 5, without padding.
  private static func base64URL(_ bytes: [UInt8]) -> String {
    let text = Base64.encoded(bytes).map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
    return String(text).split(separator: "=").first.map(String.init) ?? ""
  }

  private static func encoded(_ form: [(String, String)]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in form {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
      PercentEncoding.append(name, to: &bytes)
      bytes.append(UInt8(ascii: "="))
      PercentEncoding.append(value, to: &bytes)
    }
    return bytes
  }
}

extension OAuth2Definition {
  /// Every secret that a token request names.
  package var ownSecrets: Set<String> {
    let templates = [
      tokenURL, clientID, clientSecret, refreshToken, scope, issuer, subject, audience, privateKey, authorizeURL,
      redirectURI,
    ]
    let parts = (templates.compactMap { $0 } + form.map(\.value)).flatMap(\.parts)
    return Set(
      parts.compactMap { part in
        if case .expression(let expression) = part, case .secret(let name) = expression.path { name } else { nil }
      })
  }
}
