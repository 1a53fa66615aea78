import Columnar

/// The value of an option of CREATE MODEL and TRAIN MODEL, from a literal: `["epochs": 20,
/// "optimizer": "adam", "early_stop": true]`.
public struct ModelOption: Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral
{
  let sql: String

  public init(integerLiteral value: Int) { sql = "\(value)" }
  public init(floatLiteral value: Double) { sql = "\(value)" }
  public init(stringLiteral value: String) { sql = Self.quoted(value) }
  public init(booleanLiteral value: Bool) { sql = "\(value)" }
  public init(_ value: Int) { sql = "\(value)" }
  public init(_ value: Double) { sql = "\(value)" }
  public init(_ value: String) { sql = Self.quoted(value) }

  static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }

  /// In the order of their names.
  static func list(_ options: [String: ModelOption]) -> String {
    options.sorted { $0.key < $1.key }.map { "\(quotedIdentifier($0.key)) = \($0.value.sql)" }
      .joined(separator: ", ")
  }
}
