import Columnar
import Diagnostics
import Functions
import Syntax

/// Type names and common types, as the binder needs them.
package enum TypeResolution {
  package static func common(_ a: LogicalType, _ b: LogicalType) -> LogicalType? {
    a == b ? a : ImplicitCast.commonType(a, b)
  }

  /// Whether a column of a type may be cast to a model's input or label without being asked: numbers
  /// and BOOLEAN to each other, anything to text, nested to nested; text to no number.
  package static func feeds(_ from: LogicalType, _ wanted: LogicalType) -> Bool {
    if from == wanted || from == .null || wanted == .varchar { return true }
    let isNumber = from.isNumeric || from == .boolean
    if isNumber { return wanted.isNumeric || wanted == .boolean }
    if let element = from.elementType, let inner = wanted.elementType {
      if case .array(_, let given) = from, case .array(_, let count) = wanted, given != count {
        return false
      }
      return feeds(element, inner)
    }
    if from.isNested && wanted.isNested { return true }
    return !from.isNested && from != .varchar && ImplicitCast.commonType(from, wanted) == wanted
  }

  /// The logical type of a written type name. `known` gives types made by CREATE TYPE.
  package static func resolve(
    _ name: TypeName, known: (QualifiedName) throws -> LogicalType? = { _ in nil },
    knownNames: () -> [String] = { [] }
  ) throws -> LogicalType {
    func resolve(_ inner: TypeName) throws -> LogicalType {
      try TypeResolution.resolve(inner, known: known, knownNames: knownNames)
    }
    switch name {
    case .named(let qualified, let arguments):
      if arguments.isEmpty, let type = try known(qualified) { return type }
      return try named(
        qualified.last.name, arguments, knownNames: knownNames, span: name.span)
    case .list(let element, _): return .list(try resolve(element))
    case .array(let element, let size, let span):
      guard size >= 1, size <= 10_000_000 else {
        throw SQLError(
          .binder, "an array type needs a size from 1 to 10000000, not \(size)", at: span)
      }
      return .array(try resolve(element), count: size)
    case .structure(let fields, _):
      return .structure(try fields.map { Field($0.name.name, try resolve($0.type)) })
    case .union(_, let span): throw Binder.notYet("UNION types", span)
    case .map(let key, let value, _): return .map(key: try resolve(key), value: try resolve(value))
    case .enumeration(let labels, let span): return .enumeration(try enumLabels(labels, span))
    }
  }

  /// The labels of a new ENUM: each once.
  package static func enumLabels(_ labels: [String], _ span: SourceSpan) throws -> EnumLabels {
    var seen: Set<String> = []
    if let twice = labels.first(where: { !seen.insert($0).inserted }) {
      throw SQLError(.invalidInput, "the value '\(twice)' of an ENUM is given twice", at: span)
    }
    return EnumLabels(labels)
  }

  private static func named(
    _ name: String, _ arguments: [SyntaxExpression], knownNames: () -> [String], span: SourceSpan
  ) throws -> LogicalType {
    let key = name.lowercased()
    if key == "decimal" || key == "numeric" || key == "dec" {
      let numbers = try arguments.map { try integer($0) }
      let precision = numbers.first ?? 18
      let scale = numbers.count > 1 ? numbers[1] : (numbers.isEmpty ? 3 : 0)
      guard precision >= 1, precision <= 38, scale >= 0, scale <= precision else {
        throw SQLError(
          .binder,
          "DECIMAL(\(precision),\(scale)) is no type: precision is 1 to 38, scale 0 to precision",
          at: span)
      }
      return .decimal(precision: precision, scale: scale)
    }
    if let type = TypeNames.all[key] { return type }
    throw SQLError(
      .catalog, "type \"\(name)\" does not exist", at: span,
      hint: didYouMean(
        name, among: knownNames() + TypeNames.all.keys.sorted().map { $0.uppercased() }))
  }

  private static func integer(_ expression: SyntaxExpression) throws -> Int {
    if case .literal(.integer(let text)) = expression.kind, let value = Int(text) { return value }
    throw SQLError(.binder, "a type's argument must be an integer", at: expression.span)
  }

  /// Every accepted name with its type, ordered by name.
  package static var allNames: [(name: String, type: LogicalType)] {
    TypeNames.all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
