/// Candidates within a third of the name's length in edits (at least 1, at most 4), nearest first.
/// Case is ignored. For "did you mean".
package func nearestNames(
  to name: String, among candidates: some Sequence<String>, limit: Int = 3
) -> [String] {
  let wanted = Array(name.lowercased().utf8)
  guard wanted.count <= 256 else { return [] }
  let reach = min(4, max(1, (wanted.count + 1) / 3))
  var found: [(distance: Int, name: String)] = []
  for candidate in candidates {
    let other = Array(candidate.lowercased().utf8)
    if abs(other.count - wanted.count) > reach {
      // A long name typed only to its first letters is still worth a hint.
      if wanted.count >= 4, other.starts(with: wanted) { found.append((reach, candidate)) }
      continue
    }
    let distance = editDistance(wanted, other)
    if distance <= reach { found.append((distance, candidate)) }
  }
  found.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
  var names: [String] = []
  for entry in found where !names.contains(entry.name) {
    names.append(entry.name)
    if names.count == limit { break }
  }
  return names
}

/// The hint for an unknown name: `did you mean "a" or "b"?`; nil when nothing is near.
package func didYouMean(_ name: String, among candidates: some Sequence<String>) -> String? {
  let names = nearestNames(to: name, among: candidates)
  guard !names.isEmpty else { return nil }
  return "did you mean " + names.map { "\"\($0)\"" }.joined(separator: " or ") + "?"
}

/// Optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbours.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
  var beforePrevious = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  var current = [Int](repeating: 0, count: b.count + 1)
  for i in 1...a.count {
    current[0] = i
    for j in 1...b.count {
      let cost = a[i - 1] == b[j - 1] ? 0 : 1
      var best = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        best = min(best, beforePrevious[j - 2] + 1)
      }
      current[j] = best
    }
    (beforePrevious, previous, current) = (previous, current, beforePrevious)
  }
  return previous[b.count]
}
