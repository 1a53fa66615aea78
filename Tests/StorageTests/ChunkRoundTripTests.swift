import Columnar
import Testing

@testable import Storage

@Suite struct ChunkRoundTripTests {
  /// A chunk of the column, decoded.
  static func roundTrip(_ column: Column) throws -> Column {
    try ColumnChunk.encode(column).withUnsafeBytes {
      try ColumnChunk.decode($0, type: column.type)
    }
  }

  /// The first row that differs; floating point by its bits.
  static func difference(_ a: Column, _ b: Column) -> String? {
    if a.count != b.count { return "\(a.count) and \(b.count) rows" }
    for row in 0..<a.count {
      let (x, y) = (a.value(row), b.value(row))
      if "\(x)" != "\(y)" || !same(x, y) { return "row \(row): \(x) and \(y)" }
    }
    return nil
  }

  private static func same(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.double(let x), .double(let y)): x.bitPattern == y.bitPattern
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    case (.list(let x), .list(let y)), (.structure(let x), .structure(let y)):
      x.count == y.count && zip(x, y).allSatisfy { same($0, $1) }
    default: a == b
    }
  }

  @Test(arguments: ColumnSamples.types)
  func givesBackEveryShape(_ type: LogicalType) throws {
    for shape in ColumnSamples.Shape.allCases {
      for nulls in ColumnSamples.Nulls.allCases {
        for count in [0, 1, 2, 65, 1024, 1500] {
          let column = try ColumnSamples.column(type, shape, nulls, count: count)
          let back = try Self.roundTrip(column)
          let difference = Self.difference(column, back)
          #expect(difference == nil, "\(type) \(shape) \(nulls) \(count)")
        }
      }
    }
  }

  @Test(arguments: [LogicalType.integer, .bigint, .double, .varchar, .list(.integer)])
  func givesBackAFullRowGroup(_ type: LogicalType) throws {
    for shape in [ColumnSamples.Shape.sorted, .random] {
      let column = try ColumnSamples.column(
        type, shape, .some, count: EngineLimits.rowGroupRows)
      let difference = Self.difference(column, try Self.roundTrip(column))
      #expect(difference == nil, "\(type) \(shape)")
    }
  }

  @Test func takesEncodedColumns() throws {
    for type in ColumnSamples.types {
      let base = try ColumnSamples.column(type, .random, .some, count: 100)
      let picked = Column.dictionary(base, Selection((0..<300).map { $0 * 7 % 100 }))
      let constant = Column(repeating: base, row: 3, count: 500)
      let slice = base.slice(13, 50)
      for column in [picked, constant, slice, picked.slice(5, 200)] {
        let difference = Self.difference(column, try Self.roundTrip(column))
        #expect(difference == nil, "\(type) \(column.encoding)")
      }
    }
  }

  @Test func keepsEncodings() throws {
    let few = try ColumnSamples.column(.varchar, .few, .some, count: 2000)
    #expect(try Self.roundTrip(few).encoding == .dictionary)
    let constant = try ColumnSamples.column(.bigint, .constant, .none, count: 2000)
    #expect(try Self.roundTrip(constant).encoding == .constant)
    let nulls = try ColumnSamples.column(.list(.integer), .random, .all, count: 2000)
    #expect(try Self.roundTrip(nulls).isConstantNull)
  }

  static let choices: [(LogicalType, ColumnSamples.Shape, ChunkEncoding, Int)] = [
    (.bigint, .constant, .constant, 80), (.bigint, .sorted, .delta, 200),
    (.integer, .runs, .runs, 500), (.bigint, .random, .raw, 80_100),
    (.utinyint, .few, .packed, 4000),
    (.varchar, .few, .dictionary, 4500),
  ]

  /// Ten thousand rows in the encoding, and the bytes, that their shape asks for.
  @Test(arguments: choices)
  func choosesBySize(
    _ type: LogicalType, _ shape: ColumnSamples.Shape, _ encoding: ChunkEncoding, _ most: Int
  ) throws {
    let bytes = try ColumnChunk.encode(
      ColumnSamples.column(type, shape, .none, count: 10_000))
    let header = try bytes.withUnsafeBytes { try ChunkHeader($0) }
    #expect(header.encoding == encoding)
    #expect(header.rowCount == 10_000)
    #expect(bytes.count <= most, "\(bytes.count)")
  }

  @Test func writesDecimalsByALP() throws {
    var builder = ColumnBuilder(.double)
    for row in 0..<10_000 { builder.append(fixed: Double(row * 7919 % 1_000_003) / 100) }
    let column = builder.finish()
    let bytes = try ColumnChunk.encode(column)
    let header = try bytes.withUnsafeBytes { try ChunkHeader($0) }
    #expect(header.encoding == .alp)
    #expect(bytes.count < 28_000, "\(bytes.count)")
    #expect(Self.difference(column, try Self.roundTrip(column)) == nil)
  }

  @Test func hashesAsXXH64() {
    func hash(_ text: String) -> UInt64 {
      Array(text.utf8).withUnsafeBytes { XXHash64.hash($0) }
    }
    #expect(hash("") == 0xEF46_DB37_51D8_E999)
    #expect(hash("a") == 0xD24E_C4F1_A98C_6E5B)
    #expect(hash("abc") == 0x44BC_2CF5_AD77_0999)
  }
}
