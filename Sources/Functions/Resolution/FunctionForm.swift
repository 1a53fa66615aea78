import Columnar

/// How a function is called, as the catalog and the reference page show it: the parameters' types and
/// what comes of them. Read off the overloads; where these decide by code, the code is asked about a
/// value of every type.
package struct FunctionForm: Sendable, Equatable {
  package let parameters: [String]
  /// Of further arguments, zero or more.
  package let variadic: String?
  package let result: String

  package init(_ parameters: String..., more: String? = nil, gives result: String) {
    self.init(parameters: parameters, variadic: more, result: result)
  }

  package init(parameters: [String], variadic: String?, result: String) {
    self.parameters = parameters
    self.variadic = variadic
    self.result = result
  }

  /// `round(DOUBLE, INTEGER) -> DOUBLE`
  package func text(_ name: String) -> String {
    let parts = parameters + (variadic.map { [$0 + "..."] } ?? [])
    return "\(name)(\(parts.joined(separator: ", "))) -> \(result)"
  }
}

extension ScalarFunction {
  package var allForms: [FunctionForm] {
    if !forms.isEmpty { return forms }
    return overloads.flatMap { overload in
      FormProbe(
        parameters: overload.parameters, variadic: overload.variadic, coerce: overload.coerce,
        result: overload.result
      ).forms
    }
  }

  package var isVolatile: Bool { overloads.contains(where: \.isVolatile) }
}

extension AggregateFunction {
  package var allForms: [FunctionForm] {
    overloads.flatMap { overload in
      FormProbe(
        parameters: overload.parameters, variadic: overload.variadic, coerce: overload.coerce,
        result: overload.result
      ).forms
    }
  }
}

/// Asks an overload what it makes of each type.
private struct FormProbe {
  let parameters: [TypePattern]
  let variadic: TypePattern?
  let coerce: (([LogicalType]) throws -> [LogicalType])?
  let result: ([LogicalType]) throws -> LogicalType

  /// A type of each kind.
  private static let integers: [LogicalType] = [
    .tinyint, .smallint, .integer, .bigint, .hugeint, .utinyint, .usmallint, .uinteger, .ubigint,
    .uhugeint,
  ]
  private static let decimal = LogicalType.decimal(precision: 18, scale: 3)
  private static let numbers = integers + [decimal, .float, .double]
  private static let types: [LogicalType] =
    numbers + [
      .boolean, .varchar, .blob, .date, .time, .timestamp, .interval, .list(.integer),
      .list(.double), .list(.varchar), .structure([Field("a", .integer)]), .timestampTZ, .timeTZ,
      .timestampNanoseconds, .uuid, .json, .enumeration(EnumLabels(["a"])),
      .map(key: .varchar, value: .integer),
    ]

  var forms: [FunctionForm] { coerce == nil ? [patternForm] : codeForms }

  // MARK: By patterns

  private var patternForm: FunctionForm {
    let texts = parameters.map(\.description)
    let all = parameters + (variadic.map { [$0] } ?? [])
    // The result for several choices of what stands for the open types tells how it hangs on them.
    let choices: [LogicalType] = [.integer, .bigint, .date, .varchar]
    var seen: [(choice: LogicalType, result: LogicalType)] = []
    for choice in choices {
      guard let found = try? result(all.map { FormProbe.filled($0, choice) }) else { continue }
      seen.append((choice, found))
    }
    return FunctionForm(
      parameters: texts, variadic: variadic?.description, result: FormProbe.text(seen, all))
  }

  private static func filled(_ pattern: TypePattern, _ choice: LogicalType) -> LogicalType {
    switch pattern {
    case .exactly(let type): type
    case .any, .common: choice
    case .anyInteger, .anyNumeric: choice.isInteger ? choice : .double
    case .anyDecimal: decimal
    case .anyList: .list(choice)
    case .anyMap: .map(key: choice, value: choice)
    }
  }

  private static func text(
    _ seen: [(choice: LogicalType, result: LogicalType)], _ patterns: [TypePattern]
  ) -> String {
    guard let first = seen.first else { return "by the arguments" }
    if seen.allSatisfy({ $0.result == first.result }) { return first.result.description }
    let isOfLists = patterns.contains { if case .anyList = $0 { true } else { false } }
    let open = patterns.contains { if case .common = $0 { true } else { false } } ? "T" : "ANY"
    if seen.allSatisfy({ $0.result == $0.choice }) {
      return isOfLists ? "the element's type" : open
    }
    if seen.allSatisfy({ $0.result == .list($0.choice) }) {
      return isOfLists ? "LIST" : open + "[]"
    }
    if seen.allSatisfy({ $0.result == .list(.list($0.choice)) }) { return "LIST of lists" }
    if let one = patterns.first, patterns.count >= 1,
      seen.allSatisfy({ $0.result == filled(one, $0.choice) })
    {
      return "the argument's type"
    }
    return "by the arguments"
  }

  // MARK: By code

  private typealias Outcome = (types: [LogicalType], result: LogicalType)

  private var codeForms: [FunctionForm] {
    let count = parameters.count + (variadic == nil ? 0 : 1)
    var outcomes: [Outcome] = []
    for types in FormProbe.combinations(count) {
      guard let cast = try? coerce?(types), let found = try? result(cast) else { continue }
      outcomes.append((types, found))
    }
    let groups = FormProbe.groups(outcomes)
    return groups.map { group in
      let names = (0..<count).map { position in
        FormProbe.name(Set(group.outcomes.map { $0.types[position] }))
      }
      return FunctionForm(
        parameters: Array(names.prefix(parameters.count)),
        variadic: variadic == nil ? nil : names.last, result: group.result)
    }
  }

  /// One group where one text says all results; else a group for each kind of result that the first
  /// argument decides.
  private static func groups(_ outcomes: [Outcome]) -> [(result: String, outcomes: [Outcome])] {
    guard let first = outcomes.first else { return [] }
    if outcomes.allSatisfy({ $0.result == first.result }) {
      return [(first.result.description, outcomes)]
    }
    if outcomes.allSatisfy({ $0.result == $0.types.first }) {
      return [("the argument's type", outcomes)]
    }
    if outcomes.allSatisfy({ $0.result == $0.types.first.map { .list($0) } }) {
      return [("a LIST of the argument's type", outcomes)]
    }
    var groups: [(result: String, outcomes: [Outcome])] = []
    for outcome in outcomes {
      let text = outcome.result.isDecimal ? "DECIMAL" : outcome.result.description
      if let known = groups.firstIndex(where: { $0.result == text }) {
        groups[known].outcomes.append(outcome)
      } else {
        groups.append((text, [outcome]))
      }
    }
    let firsts = groups.map { Set($0.outcomes.compactMap(\.types.first)) }
    let isByFirst =
      firsts.reduce(0) { $0 + $1.count } == firsts.reduce(into: Set()) { $0.formUnion($1) }.count
    if isByFirst, groups.count <= 4 { return groups }
    let isNumeric = outcomes.allSatisfy(\.result.isNumeric)
    let isList = outcomes.allSatisfy { $0.result.elementType != nil }
    return [(isNumeric ? "NUMERIC" : isList ? "LIST" : "by the arguments", outcomes)]
  }

  /// All types for one argument, all pairs for two, and for more those where at most two differ from
  /// the first.
  private static func combinations(_ count: Int) -> [[LogicalType]] {
    if count == 0 { return [[]] }
    if count == 1 { return types.map { [$0] } }
    var result: [[LogicalType]] = []
    for first in types {
      for second in types {
        if count == 2 {
          result.append([first, second])
        } else {
          for third in [first, second, .bigint, .varchar] {
            result.append([first, second] + Array(repeating: third, count: count - 2))
          }
        }
      }
    }
    return result
  }

  private static func name(_ accepted: Set<LogicalType>) -> String {
    if accepted.count == types.count { return "ANY" }
    var rest = accepted
    var names: [String] = []
    if rest.isSuperset(of: numbers) {
      names.append("NUMERIC")
      rest.subtract(numbers)
    } else if rest.isSuperset(of: integers) {
      names.append("INTEGER TYPE")
      rest.subtract(integers)
    }
    let lists = types.filter { $0.elementType != nil }
    if rest.isSuperset(of: lists) {
      names.append("LIST")
      rest.subtract(lists)
    }
    for type in types where rest.contains(type) {
      switch type {
      case .decimal: names.append("DECIMAL")
      case .structure: names.append("STRUCT")
      default: names.append(type.description)
      }
    }
    return names.isEmpty ? "none" : names.joined(separator: " | ")
  }
}
