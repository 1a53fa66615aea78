import Glibc

/// A file of the tz database (RFC 8536): the 64-bit part of version 2 and later.
enum TimeZoneFile {
  /// Larger files are not of the database, whose largest has a few thousand bytes.
  private static let largest = 1 << 20

  /// Nil for a file that is not there, cannot be read or is damaged.
  static func rules(_ path: String, name: String) -> TimeZoneRules? {
    guard let bytes = contents(path) else { return nil }
    return rules(bytes, name: name)
  }

  /// Nil for damaged bytes; never a trap, whatever they are.
  static func rules(_ bytes: [UInt8], name: String) -> TimeZoneRules? {
    guard let first = Header(bytes, at: 0) else { return nil }
    var start = Header.size
    var header = first
    var width = 4
    if first.version >= 0x32 {
      start += first.byteCount(width: 4)
      guard let second = Header(bytes, at: start) else { return nil }
      header = second
      width = 8
      start += Header.size
    }
    guard header.typeCount > 0, start + header.byteCount(width: width) <= bytes.count else {
      return nil
    }
    let times = start
    let indices = times + header.timeCount * width
    let types = indices + header.timeCount
    let names = types + header.typeCount * 6
    let end = start + header.byteCount(width: width)

    func type(_ index: Int) -> ZoneSpan? {
      guard index < header.typeCount else { return nil }
      let place = types + index * 6
      let offset = Int(Int32(truncatingIfNeeded: integer(bytes, place, 4)))
      guard abs(offset) < 26 * 3600 else { return nil }
      let letters = names + Int(bytes[place + 5])
      guard letters < names + header.letterCount else { return nil }
      let word = bytes[letters..<(names + header.letterCount)].prefix { $0 != 0 }
      return ZoneSpan(
        start: .min, end: .max, offset: offset, isDaylight: bytes[place + 4] != 0,
        abbreviation: String(decoding: word, as: UTF8.self))
    }

    guard let beginning = type(0) else { return nil }
    var spans = [beginning]
    for index in 0..<header.timeCount {
      let time = integer(bytes, times + index * width, width)
      guard var span = type(Int(bytes[indices + index])) else { return nil }
      let last = spans[spans.count - 1]
      guard last.start == .min || time > last.start, time.magnitude < 1 << 60 else {
        // "Since the Big Bang", as older files write it.
        if spans.count == 1, time <= -(1 << 59) {
          spans[0] = span
          continue
        }
        return nil
      }
      if span.offset == last.offset && span.isDaylight == last.isDaylight
        && span.abbreviation == last.abbreviation
      {
        continue
      }
      spans[spans.count - 1].end = time
      span.start = time
      spans.append(span)
    }
    var rule: PosixZoneRule?
    if width == 8, end < bytes.count, bytes[end] == 0x0A {
      let footer = bytes[(end + 1)...].prefix { $0 != 0x0A }
      if !footer.isEmpty {
        guard let parsed = PosixZoneRule(footer) else { return nil }
        rule = parsed
      }
    }
    return TimeZoneRules(name: name, spans: spans, rule: rule)
  }

  private struct Header {
    static let size = 44
    let version: UInt8
    let timeCount: Int
    let typeCount: Int
    let letterCount: Int
    private let others: (universal: Int, standard: Int, leap: Int)

    init?(_ bytes: [UInt8], at start: Int) {
      guard start >= 0, start + Header.size <= bytes.count,
        bytes[start..<(start + 4)].elementsEqual("TZif".utf8)
      else { return nil }
      version = bytes[start + 4]
      let counts = (0..<6).map { integer(bytes, start + 20 + $0 * 4, 4) & 0xFFFF_FFFF }
      // No count can be larger than the file, so that sums of them do not overflow.
      guard counts.allSatisfy({ $0 <= largest }) else { return nil }
      others = (Int(counts[0]), Int(counts[1]), Int(counts[2]))
      (timeCount, typeCount, letterCount) = (Int(counts[3]), Int(counts[4]), Int(counts[5]))
    }

    func byteCount(width: Int) -> Int {
      timeCount * (width + 1) + typeCount * 6 + letterCount + others.leap * (width + 4)
        + others.standard + others.universal
    }
  }

  /// Big-endian, with its sign.
  private static func integer(_ bytes: [UInt8], _ start: Int, _ width: Int) -> Int64 {
    var value: Int64 = bytes[start] >= 0x80 ? -1 : 0
    for index in 0..<width { value = value << 8 | Int64(bytes[start + index]) }
    return value
  }

  private static func contents(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0,
      status.st_size <= largest
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        read(file, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      }
      if got <= 0 { return nil }
      filled += got
    }
    return bytes
  }
}
