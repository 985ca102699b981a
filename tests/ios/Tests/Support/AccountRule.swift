// An entry of `tests/fixtures/account-rules.json`, the rules that all languages share.

struct AccountRule: Decodable {
  let name: String
  let valid: Bool
  private let account: String?
  private let `repeat`: String?
  private let times: Int?

  var text: String {
    account ?? String(repeating: `repeat` ?? "", count: times ?? 0)
  }
}
