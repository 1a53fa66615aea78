/// Writes Thrift's compact protocol, as much of it as Parquet's metadata need.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var lastFields: [Int] = [0]

  private mutating func variableLength(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func zigzag(_ value: Int) {
    variableLength(UInt64(bitPattern: Int64(value << 1 ^ value >> 63)))
  }

  private mutating func header(_ field: Int, _ kind: ThriftReader.Kind) {
    let step = field - lastFields[lastFields.count - 1]
    if step >= 1 && step <= 15 {
      bytes.append(UInt8(step) << 4 | kind.rawValue)
    } else {
      bytes.append(kind.rawValue)
      zigzag(field)
    }
    lastFields[lastFields.count - 1] = field
  }

  mutating func int32(_ field: Int, _ value: Int) {
    header(field, .int32)
    zigzag(value)
  }

  mutating func int64(_ field: Int, _ value: Int) {
    header(field, .int64)
    zigzag(value)
  }

  mutating func int8(_ field: Int, _ value: Int) {
    header(field, .int8)
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  mutating func boolean(_ field: Int, _ value: Bool) { header(field, value ? .yes : .no) }

  mutating func binary(_ field: Int, _ value: some Collection<UInt8>) {
    header(field, .binary)
    element(value)
  }

  mutating func structure(_ field: Int, _ body: (inout ThriftWriter) -> Void) {
    header(field, .structure)
    element(body)
  }

  mutating func list(_ field: Int, _ kind: ThriftReader.Kind, count: Int) {
    header(field, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | kind.rawValue)
    } else {
      bytes.append(0xf0 | kind.rawValue)
      variableLength(UInt64(count))
    }
  }

  /// A struct as an element of a list, or as the whole message.
  mutating func element(_ body: (inout ThriftWriter) -> Void) {
    lastFields.append(0)
    body(&self)
    lastFields.removeLast()
    bytes.append(0)
  }

  mutating func element(_ value: Int) { zigzag(value) }

  mutating func element(_ value: some Collection<UInt8>) {
    variableLength(UInt64(value.count))
    bytes.append(contentsOf: value)
  }
}
