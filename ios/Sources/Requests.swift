// What the Rust side asks for, refused where it breaks the rules; nothing has changed then.
import Foundation

/// `list`, `info`, and the part that all commands have in common.
struct StoreRequest: Decodable {
  let service: String
  let accessGroup: String?
  let clearOnReinstall: Bool

  fileprivate static let fields: Set<String> = ["service", "accessGroup", "clearOnReinstall"]

  init(from decoder: Decoder) throws {
    try self.init(Fields(of: decoder, known: Self.fields))
  }

  fileprivate init(_ fields: Fields) throws {
    service = try fields.text("service")
    guard (1...255).contains(service.utf8.count) else { throw refusal("service", "must have 1 to 255 bytes") }
    accessGroup = fields.has("accessGroup") ? try fields.text("accessGroup") : nil
    if accessGroup?.isEmpty == true { throw refusal("accessGroup", "must not be empty") }
    clearOnReinstall = try fields.flag("clearOnReinstall")
  }
}

/// `get` and `delete`.
struct AccountRequest: Decodable {
  let store: StoreRequest
  let account: String

  fileprivate static let fields = StoreRequest.fields.union(["account"])

  init(from decoder: Decoder) throws {
    try self.init(Fields(of: decoder, known: Self.fields))
  }

  fileprivate init(_ fields: Fields) throws {
    store = try StoreRequest(fields)
    account = try fields.text("account")
    if let rule = ruleBroken(byAccount: account) { throw refusal("account", rule) }
  }
}

/// The rule that an account breaks. The same rules as in Rust and JavaScript: `tests/fixtures/account-rules.json`.
func ruleBroken(byAccount account: String) -> String? {
  guard (1...512).contains(account.utf8.count) else { return "must have 1 to 512 bytes" }
  guard account.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
    return "must not have control characters"
  }
  return nil
}

/// `set`.
struct WriteRequest: Decodable {
  let store: StoreRequest
  let account: String
  let value: String
  let accessibility: Accessibility

  init(from decoder: Decoder) throws {
    let fields = try Fields(of: decoder, known: AccountRequest.fields.union(["value", "accessibility"]))
    let target = try AccountRequest(fields)
    store = target.store
    account = target.account
    value = try fields.text("value")
    guard value.utf8.count <= longestValue else {
      throw StoreError(.tooLarge, "value: must have at most \(longestValue) bytes")
    }
    guard storedValue(Data(value.utf8)) != nil else {
      throw refusal("value", "must be printable ASCII without spaces, and not empty")
    }
    guard let accessibility = Accessibility(rawValue: try fields.text("accessibility")) else {
      throw refusal("accessibility", "must be one of those that are known")
    }
    self.accessibility = accessibility
  }
}

/// A record of the largest tokens with room to spare: 17 MiB.
private let longestValue = 17 * 1024 * 1024

/// The text of an item that the Rust side can have written: one line of printable ASCII without spaces.
func storedValue(_ data: Data) -> String? {
  guard !data.isEmpty, data.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
  return String(decoding: data, as: UTF8.self)
}

/// The fields of a payload, all of which are known.
private struct Fields {
  private struct Name: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private let container: KeyedDecodingContainer<Name>

  init(of decoder: Decoder, known: Set<String>) throws {
    container = try decoder.container(keyedBy: Name.self)
    guard container.allKeys.allSatisfy({ known.contains($0.stringValue) }) else {
      throw StoreError(.invalidArgument, "the payload has a field that this command does not know")
    }
  }

  func has(_ name: String) -> Bool {
    container.contains(Name(stringValue: name))
  }

  func text(_ name: String) throws -> String {
    try value(name, "must be text")
  }

  func flag(_ name: String) throws -> Bool {
    try value(name, "must be true or false")
  }

  private func value<Value: Decodable>(_ name: String, _ rule: String) throws -> Value {
    do {
      return try container.decode(Value.self, forKey: Name(stringValue: name))
    } catch is DecodingError {
      // What the decoder says may repeat the value.
      throw refusal(name, rule)
    }
  }
}

private func refusal(_ field: String, _ rule: String) -> StoreError {
  StoreError(.invalidArgument, "\(field): \(rule)")
}
