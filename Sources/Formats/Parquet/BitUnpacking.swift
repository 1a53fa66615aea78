/// Unpacks groups of eight little-endian integers of `width` bits (1 to 32).
///
/// SAFETY: reads up to 7 bytes behind the last group; callers' pages have that slack.
func unpackBits(
  _ source: UnsafePointer<UInt8>, width: Int, groups: Int, into target: UnsafeMutablePointer<UInt32>
) {
  // A literal width turns every shift and offset below into a constant.
  switch width {
  case 1: unpackGroups(source, 1, groups, target)
  case 2: unpackGroups(source, 2, groups, target)
  case 3: unpackGroups(source, 3, groups, target)
  case 4: unpackGroups(source, 4, groups, target)
  case 5: unpackGroups(source, 5, groups, target)
  case 6: unpackGroups(source, 6, groups, target)
  case 7: unpackGroups(source, 7, groups, target)
  case 8: unpackGroups(source, 8, groups, target)
  case 9: unpackGroups(source, 9, groups, target)
  case 10: unpackGroups(source, 10, groups, target)
  case 11: unpackGroups(source, 11, groups, target)
  case 12: unpackGroups(source, 12, groups, target)
  case 13: unpackGroups(source, 13, groups, target)
  case 14: unpackGroups(source, 14, groups, target)
  case 15: unpackGroups(source, 15, groups, target)
  case 16: unpackGroups(source, 16, groups, target)
  case 17: unpackGroups(source, 17, groups, target)
  case 18: unpackGroups(source, 18, groups, target)
  case 19: unpackGroups(source, 19, groups, target)
  case 20: unpackGroups(source, 20, groups, target)
  default: unpackGroups(source, width, groups, target)
  }
}

@inline(__always)
private func unpackGroups(
  _ source: UnsafePointer<UInt8>, _ width: Int, _ groups: Int,
  _ target: UnsafeMutablePointer<UInt32>
) {
  let mask = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(truncatingIfNeeded: width)) &- 1)
  var bytes = UnsafeRawPointer(source)
  var out = target
  for _ in 0..<groups {
    out[0] = unpackOne(bytes, 0, width, mask)
    out[1] = unpackOne(bytes, 1, width, mask)
    out[2] = unpackOne(bytes, 2, width, mask)
    out[3] = unpackOne(bytes, 3, width, mask)
    out[4] = unpackOne(bytes, 4, width, mask)
    out[5] = unpackOne(bytes, 5, width, mask)
    out[6] = unpackOne(bytes, 6, width, mask)
    out[7] = unpackOne(bytes, 7, width, mask)
    bytes += width
    out += 8
  }
}

/// Value `position` of a run, by one unaligned load.
@inline(__always)
func unpackOne(_ bytes: UnsafeRawPointer, _ position: Int, _ width: Int, _ mask: UInt32) -> UInt32 {
  let bit = position &* width
  let word = bytes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)
  return UInt32(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: bit & 7)) & mask
}

/// Appends bits `first ..< first + count` of `source` at bit `offset` of `target`, whose bits from
/// `offset` on are overwritten up to the end of the word.
///
/// SAFETY: reads up to 8 bytes behind the bits of `source`.
func appendBits(
  _ target: UnsafeMutablePointer<UInt64>, _ offset: Int, _ source: UnsafeRawPointer,
  from first: Int,
  count: Int
) {
  var done = 0
  while done < count {
    let at = offset + done
    let inWord = at & 63
    let take = min(count - done, 64 - inWord)
    let bit = first + done
    let low = source.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)
    let high = UInt64(source.load(fromByteOffset: (bit >> 3) + 8, as: UInt8.self))
    let shift = UInt64(bit & 7)
    let bits = shift == 0 ? low : low >> shift | high << (64 - shift)
    let keep = (UInt64(1) << UInt64(inWord)) &- 1
    target[at >> 6] = target[at >> 6] & keep | bits << UInt64(inWord)
    done += take
  }
}

/// Appends `count` equal bits at bit `offset`.
func appendBits(
  _ target: UnsafeMutablePointer<UInt64>, _ offset: Int, repeating bit: Bool, count: Int
) {
  var done = 0
  let fill: UInt64 = bit ? .max : 0
  while done < count {
    let at = offset + done
    let inWord = at & 63
    let keep = (UInt64(1) << UInt64(inWord)) &- 1
    target[at >> 6] = target[at >> 6] & keep | fill & ~keep
    done += min(count - done, 64 - inWord)
  }
}
