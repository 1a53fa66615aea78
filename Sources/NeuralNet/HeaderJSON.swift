/// The little of JSON that tensor files need, read from untrusted bytes: bounded depth, no recursion
/// beyond it, nil for anything malformed.
indirect enum HeaderJSON {
  case object([(key: String, value: HeaderJSON)])
  case array([HeaderJSON])
  case text(String)
  case number(Double)
  case other

  static func parse(_ bytes: ArraySlice<UInt8>) -> HeaderJSON? {
    var reader = Reader(bytes: bytes, at: bytes.startIndex)
    guard let value = reader.value(depth: 0) else { return nil }
    reader.skipSpace()
    return reader.at == bytes.endIndex ? value : nil
  }

  subscript(key: String) -> HeaderJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// Whole numbers from 0 up; nil when this is no array of such.
  var integers: [Int]? {
    guard case .array(let items) = self else { return nil }
    var result: [Int] = []
    for item in items {
      guard case .number(let number) = item, let integer = Int(exactly: number), integer >= 0
      else { return nil }
      result.append(integer)
    }
    return result
  }

  private struct Reader {
    let bytes: ArraySlice<UInt8>
    var at: Int
    static let maximumDepth = 16

    mutating func skipSpace() {
      while at < bytes.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      skipSpace()
      guard at < bytes.endIndex, bytes[at] == byte else { return false }
      at += 1
      return true
    }

    mutating func value(depth: Int) -> HeaderJSON? {
      skipSpace()
      guard depth < Self.maximumDepth, at < bytes.endIndex else { return nil }
      switch bytes[at] {
      case UInt8(ascii: "{"): return object(depth: depth)
      case UInt8(ascii: "["): return array(depth: depth)
      case UInt8(ascii: "\""): return text().map { .text($0) }
      default: return scalar()
      }
    }

    private mutating func object(depth: Int) -> HeaderJSON? {
      at += 1
      var members: [(key: String, value: HeaderJSON)] = []
      if take(UInt8(ascii: "}")) { return .object(members) }
      repeat {
        skipSpace()
        guard at < bytes.endIndex, bytes[at] == UInt8(ascii: "\""), let key = text(),
          take(UInt8(ascii: ":")), let value = value(depth: depth + 1)
        else { return nil }
        members.append((key, value))
      } while take(UInt8(ascii: ","))
      return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> HeaderJSON? {
      at += 1
      var items: [HeaderJSON] = []
      if take(UInt8(ascii: "]")) { return .array(items) }
      repeat {
        guard let value = value(depth: depth + 1) else { return nil }
        items.append(value)
      } while take(UInt8(ascii: ","))
      return take(UInt8(ascii: "]")) ? .array(items) : nil
    }

    private mutating func text() -> String? {
      at += 1
      var result: [UInt8] = []
      while at < bytes.endIndex {
        let byte = bytes[at]
        at += 1
        if byte == UInt8(ascii: "\"") { return String(decoding: result, as: UTF8.self) }
        guard byte == UInt8(ascii: "\\") else {
          result.append(byte)
          continue
        }
        guard at < bytes.endIndex, let escaped = escape() else { return nil }
        result += escaped
      }
      return nil
    }

    private mutating func escape() -> [UInt8]? {
      let byte = bytes[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
      case UInt8(ascii: "n"): return [0x0A]
      case UInt8(ascii: "t"): return [0x09]
      case UInt8(ascii: "r"): return [0x0D]
      case UInt8(ascii: "b"): return [0x08]
      case UInt8(ascii: "f"): return [0x0C]
      case UInt8(ascii: "u"):
        guard at + 4 <= bytes.endIndex,
          let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16),
          let scalar = Unicode.Scalar(code)
        else { return nil }
        at += 4
        return Array(String(Character(scalar)).utf8)
      default: return nil
      }
    }

    private mutating func scalar() -> HeaderJSON? {
      let start = at
      while at < bytes.endIndex, ![0x2C, 0x5D, 0x7D, 0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) {
        at += 1
      }
      let word = String(decoding: bytes[start..<at], as: UTF8.self)
      if ["true", "false", "null"].contains(word) { return .other }
      return Double(word).map { .number($0) }
    }
  }
}
