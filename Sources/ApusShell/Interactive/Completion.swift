import Apus

/// Candidates for the Tab key: dot commands at the start of a line; else keywords, functions, and
/// the names of tables. Inside a quoted text there are none, so readline offers file names.
enum Completion {
  static func candidates(word: String, line: String, shell: Shell) -> [String] {
    if line.hasPrefix(".") { return dotCandidates(word: word, line: line) }
    let quotes = line.reduce(into: 0) { count, character in if character == "'" { count += 1 } }
    guard quotes % 2 == 0, !word.isEmpty else { return [] }
    let wanted = word.lowercased()
    let typesUpperCase = word.contains { $0.isUppercase }
    var found: [String] = []
    for keyword in Apus.keywords where keyword.lowercased().hasPrefix(wanted) {
      found.append(typesUpperCase ? keyword.uppercased() : keyword.lowercased())
    }
    for name in Apus.functionNames where name.lowercased().hasPrefix(wanted) { found.append(name) }
    for name in shell.tableNames() where name.lowercased().hasPrefix(wanted) { found.append(name) }
    // Readline puts its own common prefix first; our part is the order and no doubles.
    return Array(Set(found)).sorted()
  }

  private static func dotCandidates(word: String, line: String) -> [String] {
    guard let space = line.firstIndex(of: " ") else {
      return DotCommands.all.map { "." + $0.name }.filter { $0.hasPrefix(word) }
    }
    let name = line[line.index(after: line.startIndex)..<space]
    guard let command = DotCommands.all.first(where: { $0.name == name }) else { return [] }
    return command.completions().filter { $0.hasPrefix(word) }
  }
}
