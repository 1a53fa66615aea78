/// Whether the bytes are text. RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
package func isValidUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
  var position = 0
  let count = bytes.count
  while position < count {
    let first = bytes[position]
    if first < 0x80 {
      position += 1
      continue
    }
    let length: Int
    var low: UInt8 = 0x80
    var high: UInt8 = 0xbf
    switch first {
    case 0xc2...0xdf: length = 2
    case 0xe0: (length, low) = (3, 0xa0)
    case 0xed: (length, high) = (3, 0x9f)
    case 0xe1...0xef: length = 3
    case 0xf0: (length, low) = (4, 0x90)
    case 0xf4: (length, high) = (4, 0x8f)
    case 0xf1...0xf3: length = 4
    default: return false
    }
    guard count - position >= length else { return false }
    let second = bytes[position + 1]
    guard second >= low && second <= high else { return false }
    for next in 2..<max(length, 2) where bytes[position + next] & 0xc0 != 0x80 { return false }
    position += length
  }
  return true
}
