import Diagnostics

/// A command to the shell rather than to the engine: `.mode csv`.
struct DotCommand: Sendable {
  /// A use that cannot be followed; printed after the command's place.
  struct Mistake: Error {
    let message: String
  }

  let name: String
  /// The arguments as the help shows them: `on|off`, `[FILE]`.
  let arguments: String
  let summary: String
  /// What Tab offers for its argument; empty means file names.
  var completions: @Sendable () -> [String] = { [] }
  let run: @Sendable (Shell, [String]) throws -> Void

  /// A command that turns a setting on or off, or says how it stands.
  static func toggle(
    _ name: String, _ summary: String,
    _ setting: @escaping @Sendable (inout Shell.Settings, Bool?) -> Bool
  ) -> DotCommand {
    DotCommand(
      name: name, arguments: "on|off", summary: summary, completions: { ["off", "on"] }
    ) { shell, arguments in
      switch arguments.first?.lowercased() {
      case nil: shell.output.write("\(setting(&shell.settings, nil) ? "on" : "off")\n")
      case "on"?, "true"?, "1"?: _ = setting(&shell.settings, true)
      case "off"?, "false"?, "0"?: _ = setting(&shell.settings, false)
      case let other?: throw Mistake(message: "expected on or off, got \"\(other)\"")
      }
    }
  }

  /// The only argument, when the command must have one.
  static func single(_ arguments: [String], _ what: String) throws -> String {
    guard arguments.count == 1 else { throw Mistake(message: "expected \(what)") }
    return arguments[0]
  }
}

extension Shell {
  /// Runs one line that begins with a point. False, and a message behind `place`, when it fails.
  func runDotCommand(_ line: String, place: String) -> Bool {
    if settings.echo { output.write(line + "\n") }
    let words = Self.words(of: line.dropFirst())
    let name = words.first ?? ""
    guard let command = DotCommands.all.first(where: { $0.name == name.lowercased() }) else {
      let known = DotCommands.all.map { "." + $0.name }
      let hint = didYouMean("." + name, among: known) ?? "\".help\" lists them"
      output.flush()
      Output.writeError("\(place)unknown command \".\(name)\"; \(hint)\n")
      return false
    }
    do {
      try command.run(self, Array(words.dropFirst()))
      return true
    } catch let mistake as DotCommand.Mistake {
      output.flush()
      if !mistake.message.isEmpty {
        Output.writeError("\(place).\(command.name): \(mistake.message)\n")
      }
      return false
    } catch {
      output.flush()
      Output.writeError("\(place)\(error)\n")
      return false
    }
  }

  /// The words of a command line; `'…'` and `"…"` keep spaces, and a closing `;` is forgiven.
  static func words(of line: Substring) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in line {
      if let open = quote {
        if character == open { quote = nil } else { word?.append(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character.isWhitespace {
        if let finished = word { words.append(finished) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if let word { words.append(word) }
    if let last = words.last, last.count > 1, last.hasSuffix(";"), words[0] != "print" {
      words[words.count - 1].removeLast()
    }
    return words
  }
}
