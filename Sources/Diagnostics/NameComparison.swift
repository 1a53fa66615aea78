extension String {
  /// Whether this name and one already in lower case are the same to SQL, without case. A query of
  /// many columns compares many names: those in ASCII are not copied for it.
  package func isName(lowercased wanted: String) -> Bool {
    var isASCII = true
    let mine = utf8
    let theirs = wanted.utf8
    if mine.count == theirs.count {
      for (a, b) in zip(mine, theirs) {
        if a == b { continue }
        if a >= 0x80 || b >= 0x80 {
          isASCII = false
          break
        }
        if !(0x41...0x5a).contains(a) || a | 0x20 != b { return false }
      }
      if isASCII { return true }
    } else if mine.allSatisfy({ $0 < 0x80 }) && theirs.allSatisfy({ $0 < 0x80 }) {
      return false
    }
    return lowercased() == wanted
  }
}
