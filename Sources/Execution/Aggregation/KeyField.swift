import Columnar
import Functions

/// Where one key column lies in the packed key words of a group, and how its values become bits.
///
/// Fixed-width values are their bits, with one more for NULL. Strings and blobs are one word: the
/// length in the high byte and up to 7 bytes below it; longer ones are interned and the word is their
/// number behind that of NULL, so that words of nothing but long strings lie close together. Nested
/// values are serialised and then treated as blobs.
final class KeyField {
  let type: LogicalType
  let physical: PhysicalType
  /// Bits of the value; 128-bit values take this word and the next.
  let bits: Int
  var word = 0
  var shift = 0
  var nullWord = 0
  var nullShift = 0
  let interner: ByteInterner?
  let isNested: Bool
  /// Addresses of long strings, then their rows, while a batch is encoded.
  private let longRows = StateMemory(stride: 8)
  private var cachedBase: Column?
  private var cachedCodes: StateMemory?

  /// Of strings: the word of NULL. Those of short ones are less, those of interned ones greater.
  private static let nullText: UInt64 = 0xFE << 56
  private static let textMask: UInt64 = (1 << 56) - 1

  /// What is interned as this number.
  @inline(__always)
  static func word(interned number: UInt64) -> UInt64 { nullText &+ 1 &+ number }

  /// The number of an interned string; nil for others.
  @inline(__always)
  static func number(in word: UInt64) -> Int? {
    word > nullText ? Int(truncatingIfNeeded: word &- nullText &- 1) : nil
  }

  init(_ type: LogicalType) {
    self.type = type
    isNested = type.isNested || type == .interval
    physical = isNested ? .string : type.physical
    interner = physical == .string ? ByteInterner() : nil
    bits = physical == .string ? 64 : physical.width * 8
  }

  var byteCount: Int { (interner?.byteCount ?? 0) + (cachedCodes?.byteCount ?? 0) }

  /// Packs fields into as few words as first fit finds; gives the number of words.
  static func layOut(_ fields: [KeyField]) -> Int {
    var used: [Int] = []
    func place(_ bits: Int) -> (word: Int, shift: Int) {
      for word in used.indices where used[word] + bits <= 64 {
        used[word] += bits
        return (word, used[word] - bits)
      }
      used.append(bits)
      return (used.count - 1, 0)
    }
    for field in fields {
      if field.bits == 128 {
        field.word = used.count
        used += [64, 64]
      } else {
        (field.word, field.shift) = place(field.bits)
      }
    }
    for field in fields where field.interner == nil {
      (field.nullWord, field.nullShift) = place(1)
    }
    return used.count
  }

  // MARK: Encoding

  /// Ors the codes of all rows into `words`, `stride` words a row.
  func encode(_ column: Column, _ count: Int, _ words: UnsafeMutablePointer<UInt64>, stride: Int) {
    switch physical {
    case .bool, .uint8: encodeIntegers(column, UInt8.self, count, words, stride)
    case .int8: encodeIntegers(column, Int8.self, count, words, stride)
    case .int16: encodeIntegers(column, Int16.self, count, words, stride)
    case .int32: encodeIntegers(column, Int32.self, count, words, stride)
    case .int64: encodeIntegers(column, Int64.self, count, words, stride)
    case .uint16: encodeIntegers(column, UInt16.self, count, words, stride)
    case .uint32: encodeIntegers(column, UInt32.self, count, words, stride)
    case .uint64: encodeIntegers(column, UInt64.self, count, words, stride)
    case .float:
      encodeFixed(column, Float.self, count, words, stride) {
        UInt64(Hashing.canonical($0).bitPattern)
      }
    case .double:
      encodeFixed(column, Double.self, count, words, stride) { Hashing.canonical($0).bitPattern }
    case .int128, .uint128: encodeWide(column, count, words, stride)
    case .string: encodeStrings(column, count, words, stride)
    case .interval, .list, .array, .structure:
      preconditionFailure("nested keys are encoded as bytes")
    }
  }

  @inline(__always)
  private func encodeIntegers<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ count: Int, _ words: UnsafeMutablePointer<UInt64>,
    _ stride: Int
  ) {
    let mask: UInt64 = bits == 64 ? .max : (1 << UInt64(bits)) - 1
    encodeFixed(column, T.self, count, words, stride) { UInt64(truncatingIfNeeded: $0) & mask }
  }

  @inline(__always)
  private func encodeFixed<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ count: Int, _ words: UnsafeMutablePointer<UInt64>,
    _ stride: Int, _ code: (T) -> UInt64
  ) {
    let reader = ColumnReader<T>(column)
    let target = words + word
    let shift = UInt64(shift)
    if !column.mayHaveNulls {
      for row in 0..<count { target[row &* stride] |= code(reader[row]) &<< shift }
      return
    }
    let nulls = words + nullWord
    let nullBit: UInt64 = 1 << UInt64(nullShift)
    for row in 0..<count {
      if reader.isNull(row) {
        nulls[row &* stride] |= nullBit
      } else {
        target[row &* stride] |= code(reader[row]) &<< shift
      }
    }
  }

  private func encodeWide(
    _ column: Column, _ count: Int, _ words: UnsafeMutablePointer<UInt64>, _ stride: Int
  ) {
    let reader = ColumnReader<UInt128>(column)
    let target = words + word
    for row in 0..<count {
      if reader.isNull(row) {
        words[row &* stride &+ nullWord] |= 1 << UInt64(nullShift)
      } else {
        target[row &* stride] = UInt64(truncatingIfNeeded: reader[row])
        target[row &* stride &+ 1] = UInt64(truncatingIfNeeded: reader[row] >> 64)
      }
    }
  }

  private func encodeStrings(
    _ column: Column, _ count: Int, _ words: UnsafeMutablePointer<UInt64>, _ stride: Int
  ) {
    let target = words + word
    if column.encoding == .dictionary, let base = column.base, let indices = column.indices {
      if cachedBase !== base && base.count > count {
        // A large base is worth encoding when it comes again, not for one batch's selection.
        cachedBase = base
        cachedCodes = nil
      } else {
        if cachedBase !== base || cachedCodes == nil {
          let codes = StateMemory(stride: 8, count: max(base.count, 1))
          encodeEach(base, base.count, codes.values(UInt64.self), 1)
          cachedBase = base
          cachedCodes = codes
        }
        if let codes = cachedCodes?.values(UInt64.self) {
          for row in 0..<count { target[row &* stride] = codes[Int(indices[row])] }
          return
        }
      }
    }
    if column.encoding == .constant {
      var one: UInt64 = 0
      encodeEach(column, 1, &one, 1)
      for row in 0..<count { target[row &* stride] = one }
      return
    }
    encodeEach(column, count, target, stride)
  }

  private func encodeEach(
    _ column: Column, _ count: Int, _ target: UnsafeMutablePointer<UInt64>, _ stride: Int
  ) {
    guard let interner else { return }
    let bytes = isNested ? OrderedBytes.encode(column, count: count, forEquality: true) : column
    defer { withExtendedLifetime(bytes) {} }
    let reader = ColumnReader<StringView>(bytes)
    longRows.resize(2 * count)
    let addresses = longRows.values(UInt64.self)
    let rows = (addresses + count).withMemoryRebound(to: UInt32.self, capacity: 2 * count) { $0 }
    var long = 0
    for row in 0..<count {
      if reader.isNull(row) {
        target[row &* stride] = KeyField.nullText
        continue
      }
      let view = reader.pointer(row)
      let text = UInt64(view.pointee.prefix) | (view.pointee.tail & 0xFF_FFFF) << 32
      target[row &* stride] = UInt64(view.pointee.length & 0xFF) << 56 | text
      // Branch-free, because lengths are hard to predict: the last entry may be overwritten.
      addresses[long] = UInt64(UInt(bitPattern: view))
      rows[long] = UInt32(truncatingIfNeeded: row)
      long &+= view.pointee.length > 7 ? 1 : 0
    }
    if long == 0 { return }
    interner.intern(addresses, count: long)
    for position in 0..<long {
      target[Int(rows[position]) &* stride] = KeyField.word(interned: addresses[position])
    }
  }

  /// Makes of the words of another table's groups those that the same strings have here.
  func translate(
    _ words: UnsafeMutablePointer<UInt64>, stride: Int, count: Int, from other: KeyField
  ) {
    guard let interner, let theirs = other.interner else { return }
    longRows.resize(2 * count)
    let numbers = longRows.values(UInt64.self)
    let rows = (numbers + count).withMemoryRebound(to: UInt32.self, capacity: 2 * count) { $0 }
    let target = words + word
    var long = 0
    for row in 0..<count {
      guard let number = KeyField.number(in: target[row &* stride]) else { continue }
      numbers[long] = UInt64(number)
      rows[long] = UInt32(truncatingIfNeeded: row)
      long &+= 1
    }
    if long == 0 { return }
    interner.absorb(numbers, count: long, of: theirs)
    for position in 0..<long {
      target[Int(rows[position]) &* stride] = KeyField.word(interned: numbers[position])
    }
  }

  /// The bits of a fixed-width column of up to 64 bits that is the only key: integers extended by
  /// their sign so that ranges can be seen. NULL rows get whatever; true when there may be some.
  func encodeAlone(_ column: Column, _ count: Int, _ words: UnsafeMutablePointer<UInt64>) {
    switch physical {
    case .bool, .uint8: alone(column, UInt8.self, count, words) { UInt64($0) }
    case .int8: alone(column, Int8.self, count, words) { UInt64(bitPattern: Int64($0)) }
    case .int16: alone(column, Int16.self, count, words) { UInt64(bitPattern: Int64($0)) }
    case .int32: alone(column, Int32.self, count, words) { UInt64(bitPattern: Int64($0)) }
    case .int64: alone(column, Int64.self, count, words) { UInt64(bitPattern: $0) }
    case .uint16: alone(column, UInt16.self, count, words) { UInt64($0) }
    case .uint32: alone(column, UInt32.self, count, words) { UInt64($0) }
    case .uint64: alone(column, UInt64.self, count, words) { $0 }
    case .float:
      alone(column, Float.self, count, words) { UInt64(Hashing.canonical($0).bitPattern) }
    case .double: alone(column, Double.self, count, words) { Hashing.canonical($0).bitPattern }
    case .int128, .uint128, .string, .interval, .list, .array, .structure:
      preconditionFailure("only values of one word are encoded alone")
    }
  }

  @inline(__always)
  private func alone<T: BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ count: Int, _ words: UnsafeMutablePointer<UInt64>,
    _ code: (T) -> UInt64
  ) {
    let values = column.values(as: T.self)
    if column.encoding == .flat {
      for row in 0..<count { words[row] = code(values[row]) }
    } else {
      let reader = ColumnReader<T>(column)
      for row in 0..<count { words[row] = code(reader[row]) }
    }
  }

  // MARK: Decoding

  /// The values of `count` groups from their words. `nullGroup` is the group of a NULL that has no
  /// bits, or -1.
  func decode(
    _ words: UnsafePointer<UInt64>, stride: Int, groups: UnsafePointer<UInt32>, count: Int,
    isAlone: Bool, nullGroup: Int
  ) -> Column {
    let result = Column(
      flat: isNested ? .blob : type, count: count, heaps: interner?.heaps ?? [])
    switch physical {
    case .bool, .int8, .uint8:
      decodeBits(result, UInt8.self, words, stride, groups, count)
    case .int16, .uint16: decodeBits(result, UInt16.self, words, stride, groups, count)
    case .int32, .uint32, .float: decodeBits(result, UInt32.self, words, stride, groups, count)
    case .int64, .uint64, .double: decodeBits(result, UInt64.self, words, stride, groups, count)
    case .int128, .uint128:
      let target = result.values(as: UInt128.self)
      for row in 0..<count {
        let from = words + Int(groups[row]) * stride + word
        target[row] = UInt128(from[0]) | UInt128(from[1]) << 64
      }
    case .string: decodeStrings(result, words, stride, groups, count)
    case .interval, .list, .array, .structure:
      preconditionFailure("nested keys are decoded from bytes")
    }
    if interner == nil && !isAlone {
      for row in 0..<count {
        if words[Int(groups[row]) * stride + nullWord] >> UInt64(nullShift) & 1 != 0 {
          result.setNull(row)
        }
      }
    } else if nullGroup >= 0 {
      for row in 0..<count where Int(groups[row]) == nullGroup { result.setNull(row) }
    }
    return isNested ? OrderedBytes.decode(result, as: type, forEquality: true) : result
  }

  @inline(__always)
  private func decodeBits<T: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _ type: T.Type, _ words: UnsafePointer<UInt64>, _ stride: Int,
    _ groups: UnsafePointer<UInt32>, _ count: Int
  ) {
    let target = column.values(as: T.self)
    for row in 0..<count {
      let code = words[Int(groups[row]) * stride + word] >> UInt64(shift)
      target[row] = T(truncatingIfNeeded: code)
    }
  }

  private func decodeStrings(
    _ column: Column, _ words: UnsafePointer<UInt64>, _ stride: Int,
    _ groups: UnsafePointer<UInt32>, _ count: Int
  ) {
    guard let interner else { return }
    let target = column.values(as: StringView.self)
    for row in 0..<count {
      let code = words[Int(groups[row]) * stride + word]
      if let number = KeyField.number(in: code) {
        target[row] = interner.view(number).pointee
      } else if code == KeyField.nullText {
        target[row] = StringView()
        column.setNull(row)
      } else {
        var view = StringView()
        view.length = UInt32(code >> 56)
        view.prefix = UInt32(truncatingIfNeeded: code)
        view.tail = (code & KeyField.textMask) >> 32
        target[row] = view
      }
    }
  }
}
