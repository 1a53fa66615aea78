import Columnar
import Diagnostics

/// What the binder knows of an argument beyond its type: literals adapt to their surroundings.
package enum ArgumentLiteral: Sendable, Equatable {
  case none
  /// A string in quotes: casts implicitly to whatever is asked.
  case string
  /// An integer: takes the type of the other side when its value fits.
  case integer(Int128)
}

/// Which casts happen without being written, and at what price; and the type that values of two
/// types have in common. (DuckDB's lattice: nothing that loses digits, except integers and
/// decimals to floating point; never VARCHAR to something else, except literals.)
package enum ImplicitCast {
  /// The price of an implicit cast, 0 for none; nil when it must be written.
  package static func cost(from: LogicalType, to: LogicalType) -> Int? {
    if from == to { return 0 }
    switch (from, to) {
    case (.null, _): return 1
    case (_, .null): return nil
    case (.decimal(let p, let s), .decimal(let q, let t)):
      return t >= s && q - t >= p - s ? 1 : nil
    case _ where from.isTemporal && to.isTemporal: return TemporalCast.implicitCost(from, to)
    case (.enumeration, .varchar): return 10
    case (.map(let k, let v), .map(let l, let w)):
      guard let key = cost(from: k, to: l), let value = cost(from: v, to: w) else { return nil }
      return key + value + 1
    case (.json, .varchar): return 1
    case (.list(let a), .list(let b)): return cost(from: a, to: b).map { $0 + 1 }
    case (.array(let a, _), .list(let b)): return cost(from: a, to: b).map { $0 + 2 }
    case (.list(let a), .array(let b, _)): return cost(from: a, to: b).map { $0 + 8 }
    case (.array(let a, let n), .array(let b, let m)):
      return n == m ? cost(from: a, to: b).map { $0 + 1 } : nil
    case (.structure(let a), .structure(let b)): return structureCost(a, b)
    default:
      if from.isInteger && to.isInteger { return integerCost(from, to) }
      if from.isInteger, case .decimal(let precision, let scale) = to {
        return precision - scale >= digits(of: from) ? 20 : nil
      }
      if from == .float && to == .double { return 1 }
      if from.isNumeric && to.isFloatingPoint && !from.isFloatingPoint {
        return to == .double ? 30 : 31
      }
      return nil
    }
  }

  /// The price for a literal, which adapts more than a column of its type.
  package static func cost(
    from: LogicalType, literal: ArgumentLiteral, to: LogicalType
  ) -> Int? {
    if from == to { return 0 }
    switch literal {
    case .none: return cost(from: from, to: to)
    case .string:
      switch to {
      case .timestamp: return 50
      case .date: return 51
      case .interval: return 52
      case .double: return 53
      default: return 60
      }
    case .integer(let value):
      if to.isInteger { return fits(value, to) ? 2 + abs(rank(to) - rank(from)) : nil }
      return cost(from: from, to: to)
    }
  }

  /// By name, where both have names: fields that are missing become NULL. Else by position.
  private static func structureCost(_ from: [Field], _ to: [Field]) -> Int? {
    let byName = hasNames(from) && hasNames(to)
    if !byName && from.count != to.count { return nil }
    var total = 1
    for (position, field) in from.enumerated() {
      let place = byName ? index(of: field.name, in: to) : position
      guard let place, let one = cost(from: field.type, to: to[place].type) else { return nil }
      total += one
    }
    return total + max(0, to.count - from.count)
  }

  private static func commonStructure(
    _ a: [Field], _ b: [Field], force: Bool
  ) -> LogicalType? {
    let byName = hasNames(a) && hasNames(b)
    if !byName && a.count != b.count { return nil }
    var fields = a
    for (position, field) in b.enumerated() {
      guard let place = byName ? index(of: field.name, in: fields) : position else {
        fields.append(field)
        continue
      }
      guard let type = commonType(fields[place].type, field.type, force: force) else { return nil }
      let name = fields[place].name
      fields[place] = Field(name.isEmpty ? field.name : name, type)
    }
    return .structure(fields)
  }

  static func hasNames(_ fields: [Field]) -> Bool { fields.contains { !$0.name.isEmpty } }

  static func index(of name: String, in fields: [Field]) -> Int? {
    fields.firstIndex { $0.name.lowercased() == name.lowercased() }
  }

  private static func integerCost(_ from: LogicalType, _ to: LogicalType) -> Int? {
    let wider = bits(to) - bits(from)
    if isSigned(from) == isSigned(to) { return wider > 0 ? rank(to) - rank(from) : nil }
    if isSigned(from) { return nil }
    // Unsigned to a wider signed type.
    return wider > 0 ? 1 + rank(to) - rank(from) : nil
  }

  /// The type that both sides are cast to in a comparison, CASE, COALESCE, IN, UNION or list; nil
  /// when there is none. With `force`, anything mixed with VARCHAR becomes VARCHAR (UNION).
  package static func commonType(
    _ a: LogicalType, _ b: LogicalType, force: Bool = false
  ) -> LogicalType? {
    if a == b { return a }
    switch (a, b) {
    case (.null, let other), (let other, .null): return other
    case (.json, _), (_, .json): return .json
    case (.decimal(let p, let s), .decimal(let q, let t)):
      return decimal(whole: max(p - s, q - t), scale: max(s, t))
    case _ where a.isTemporal && b.isTemporal: return TemporalCast.commonType(a, b)
    // ENUMs of different labels have nothing but their texts in common.
    case (.enumeration, .enumeration), (.enumeration, .varchar), (.varchar, .enumeration):
      return .varchar
    case (.map(let k, let v), .map(let l, let w)):
      guard let key = commonType(k, l, force: force), let value = commonType(v, w, force: force)
      else { return nil }
      return .map(key: key, value: value)
    case (.list(let x), .list(let y)), (.list(let x), .array(let y, _)),
      (.array(let x, _), .list(let y)):
      return commonType(x, y, force: force).map { .list($0) }
    case (.array(let x, let n), .array(let y, let m)):
      guard let element = commonType(x, y, force: force) else { return nil }
      return n == m ? .array(element, count: n) : .list(element)
    case (.structure(let x), .structure(let y)): return commonStructure(x, y, force: force)
    default: break
    }
    if a.isNumeric && b.isNumeric { return commonNumeric(a, b) }
    if a == .boolean && b.isNumeric { return b }
    if b == .boolean && a.isNumeric { return a }
    // Text in a set operation reads as UUID, as DuckDB has it.
    if force, a == .uuid && b == .varchar || a == .varchar && b == .uuid { return .uuid }
    if force && (a == .varchar || b == .varchar) { return .varchar }
    return nil
  }

  /// The common type of any number of values, literals adapting to the others; nil for none, and
  /// for no values at all.
  package static func commonType(
    _ types: [LogicalType], literals: [ArgumentLiteral] = [], force: Bool = false
  ) -> LogicalType? {
    var common: LogicalType?
    var integers: [(type: LogicalType, value: Int128)] = []
    var hasString = false
    for (position, type) in types.enumerated() {
      let literal = position < literals.count ? literals[position] : .none
      switch literal {
      case .string: hasString = true
      case .integer(let value) where type.isInteger: integers.append((type, value))
      case .integer, .none:
        guard let joined = common.map({ commonType($0, type, force: force) }) ?? type else {
          return nil
        }
        common = joined
      }
    }
    for integer in integers {
      guard let known = common, known != .null else {
        common = integer.type
        continue
      }
      if known.isInteger && fits(integer.value, known) { continue }
      guard let joined = commonType(known, integer.type, force: force) else { return nil }
      common = joined
    }
    guard hasString else { return common }
    if case .enumeration = common { return .varchar }
    return common == nil || common == .null ? .varchar : common
  }

  /// The type both sides of arithmetic have in common, before the result type of the operator.
  package static func commonNumeric(_ a: LogicalType, _ b: LogicalType) -> LogicalType? {
    if a == .double || b == .double { return .double }
    if a == .float || b == .float { return .float }
    if a.isInteger && b.isInteger {
      if isSigned(a) == isSigned(b) { return rank(a) >= rank(b) ? a : b }
      let signed = isSigned(a) ? a : b
      let unsigned = isSigned(a) ? b : a
      if bits(signed) > bits(unsigned) { return signed }
      switch unsigned {
      case .utinyint: return .smallint
      case .usmallint: return .integer
      case .uinteger: return .bigint
      case .ubigint: return .hugeint
      default: return .double
      }
    }
    let (p, s) = precisionAndScale(a)
    let (q, t) = precisionAndScale(b)
    return decimal(whole: max(p - s, q - t), scale: max(s, t))
  }

  /// DECIMAL with room for both parts; digits after the point give way when 38 are not enough.
  static func decimal(whole: Int, scale: Int) -> LogicalType {
    let precision = min(38, max(1, whole + scale))
    return .decimal(precision: precision, scale: min(scale, precision))
  }

  /// Digits in all and after the point of an integer or decimal type.
  static func precisionAndScale(_ type: LogicalType) -> (Int, Int) {
    if case .decimal(let precision, let scale) = type { return (precision, scale) }
    return (digits(of: type), 0)
  }

  /// Decimal digits that hold every value of an integer type (at most 38).
  package static func digits(of type: LogicalType) -> Int {
    switch type {
    case .tinyint, .utinyint: 3
    case .smallint, .usmallint: 5
    case .integer, .uinteger: 10
    case .bigint: 19
    case .ubigint: 20
    default: 38
    }
  }

  /// Whether an integer type holds the value.
  package static func fits(_ value: Int128, _ type: LogicalType) -> Bool {
    switch type {
    case .tinyint: Int8(exactly: value) != nil
    case .smallint: Int16(exactly: value) != nil
    case .integer: Int32(exactly: value) != nil
    case .bigint: Int64(exactly: value) != nil
    case .hugeint: true
    case .utinyint: UInt8(exactly: value) != nil
    case .usmallint: UInt16(exactly: value) != nil
    case .uinteger: UInt32(exactly: value) != nil
    case .ubigint: UInt64(exactly: value) != nil
    case .uhugeint: value >= 0
    default: false
    }
  }

  static func isSigned(_ type: LogicalType) -> Bool {
    switch type {
    case .tinyint, .smallint, .integer, .bigint, .hugeint: true
    default: false
    }
  }

  private static func bits(_ type: LogicalType) -> Int { type.physical.width * 8 }

  private static func rank(_ type: LogicalType) -> Int {
    switch bits(type) {
    case 8: 1
    case 16: 2
    case 32: 3
    case 64: 4
    default: 5
    }
  }
}
