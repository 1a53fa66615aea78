import Columnar
import Testing

@testable import Storage

@Suite struct ChunkZoneTests {
  private static func column(_ type: LogicalType, _ values: [Value]) throws -> Column {
    var builder = ColumnBuilder(type)
    for value in values { try builder.append(value) }
    return builder.finish()
  }

  @Test func boundsIntegers() throws {
    let zone = ChunkZone(
      try Self.column(.smallint, [.integer(5), .null, .integer(-2), .integer(300)]))
    #expect(zone.minimum == [0x7F, 0xFE])
    #expect(zone.maximum == [0x81, 0x2C])
    #expect(zone.nullCount == 1)
    #expect(zone.rowCount == 4)
  }

  @Test func ordersNumbersAsSQL() {
    let ascending: [Double] = [-.infinity, -1.5, -1e-300, 0, 1e-300, 2, .infinity, .nan]
    let keys = ascending.map { ChunkZone.ordered($0) }
    #expect(keys == keys.sorted())
    #expect(Set(keys).count == keys.count)
    #expect(ChunkZone.ordered(-0.0) == ChunkZone.ordered(0.0))
    #expect(ChunkZone.ordered(-Double.nan) == ChunkZone.ordered(Double.nan))
  }

  @Test func cutsLongTexts() throws {
    let long = String(repeating: "x", count: 40)
    let zone = ChunkZone(try Self.column(.varchar, [.varchar(long), .varchar("b"), .null]))
    #expect(zone.minimum == Array("b".utf8))
    #expect(zone.maximum == Array(String(repeating: "x", count: 31).utf8) + [0x79])
    let top = ChunkZone(try Self.column(.blob, [.blob(Array(repeating: 255, count: 40))]))
    #expect(top.maximum == nil)
  }

  @Test func knowsNothingOfNoValues() throws {
    for values in [[], [Value.null]] {
      let zone = ChunkZone(try Self.column(.bigint, values))
      #expect(zone.minimum == nil && zone.maximum == nil)
      #expect(zone.nullCount == values.count)
    }
  }
}
