import Columnar
import Diagnostics

/// An input or output of a model: a name and an SQL type, and the classes of an output that is one.
public struct ModelField: Sendable {
  public let name: String
  public let type: String
  public let classes: [String]

  public init(_ name: String, _ type: String = "FLOAT", classes: [String] = []) {
    self.name = name
    self.type = type
    self.classes = classes
  }

  var sql: String {
    let list = classes.map(ModelOption.quoted).joined(separator: ", ")
    return "\(quotedIdentifier(name)) \(type)\(classes.isEmpty ? "" : " CLASSES (\(list))")"
  }
}
