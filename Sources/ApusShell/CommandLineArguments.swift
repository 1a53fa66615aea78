import Diagnostics

/// What the command line asks for. The parser is our own (docs/decisions/0005): options keep their
/// order, and the build needs no package.
struct CommandLineArguments: Sendable {
  /// A piece of work, in the order given.
  enum Action: Equatable, Sendable {
    case command(String)
    case file(String)
  }

  enum Parsed: Sendable {
    case run(CommandLineArguments)
    case help
    case version
    /// The page of functions, for `make reference`.
    case functionReference
  }

  /// A command line that cannot be understood: exit status 2.
  struct Mistake: Error {
    let message: String
  }

  var database: String?
  var isReadOnly = false
  var actions: [Action] = []
  var rendererName: String?
  var echo = false
  var bail = false
  var protocolName: String?

  static func parse(_ arguments: [String]) throws -> Parsed {
    var result = CommandLineArguments()
    var request: Parsed?
    var index = 0
    var onlyNames = false
    while index < arguments.count {
      let argument = arguments[index]
      index += 1
      guard !onlyNames, argument.hasPrefix("-"), argument != "-" else {
        guard result.database == nil else { throw twoDatabases(argument) }
        result.database = argument
        continue
      }
      if argument == "--" {
        onlyNames = true
        continue
      }
      let (name, attached) = splitValue(argument)
      guard let option = options.first(where: { $0.names.contains(name) }) else {
        throw unknownOption(name)
      }
      switch option.effect {
      case .flag(let apply):
        guard attached == nil else { throw needsNoValue(name) }
        apply(&result)
      case .value(_, let apply):
        if let attached {
          try apply(&result, attached)
        } else {
          guard index < arguments.count else { throw needsValue(name) }
          try apply(&result, arguments[index])
          index += 1
        }
      case .answer(let answer):
        if request == nil { request = answer }
      }
    }
    return request ?? .run(result)
  }

  /// `--mode=csv` is `--mode csv`; a short option never carries its value that way.
  private static func splitValue(_ argument: String) -> (name: String, value: String?) {
    guard argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") else {
      return (argument, nil)
    }
    return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
  }
}

// MARK: - The table of options

extension CommandLineArguments {
  struct Option: Sendable {
    enum Effect: Sendable {
      case flag(@Sendable (inout CommandLineArguments) -> Void)
      /// `placeholder` stands for the value in the help.
      case value(placeholder: String, @Sendable (inout CommandLineArguments, String) throws -> Void)
      case answer(Parsed)
    }

    let names: [String]
    let summary: String
    let effect: Effect
  }

  /// Every option; help and "did you mean" read it. The output forms come from their own table.
  static let options: [Option] =
    [
      Option(
        names: ["-c", "--command"], summary: "run this SQL or dot command; may be repeated",
        effect: .value(placeholder: "SQL") { $0.actions.append(.command($1)) }),
      Option(
        names: ["-f", "--file"], summary: "run this script; may be repeated",
        effect: .value(placeholder: "FILE") { $0.actions.append(.file($1)) }),
      Option(
        names: ["--readonly"], summary: "open the database file without changing it",
        effect: .flag { $0.isReadOnly = true }),
    ]
    + Renderers.all.map { renderer in
      Option(
        names: ["--\(renderer.name)"], summary: renderer.summary,
        effect: .flag { $0.rendererName = renderer.name })
    } + [
      Option(
        names: ["--mode"], summary: "the output form by its name",
        effect: .value(placeholder: "NAME") { arguments, name in
          guard Renderers.named(name) != nil else { throw unknownMode(name) }
          arguments.rendererName = name
        }),
      Option(
        names: ["-e", "--echo"], summary: "print each statement before it runs",
        effect: .flag { $0.echo = true }),
      Option(
        names: ["--bail"], summary: "leave at the first error, in the interactive shell too",
        effect: .flag { $0.bail = true }),
      Option(
        names: ["--protocol"], summary: "speak a protocol on standard input and output: jsonl",
        effect: .value(placeholder: "NAME") { arguments, name in
          guard name == "jsonl" else { throw unknownProtocol(name) }
          arguments.protocolName = name
        }),
      Option(
        names: ["-h", "--help"], summary: "print this text", effect: .answer(.help)),
      Option(
        names: ["-V", "--version"], summary: "print name and version", effect: .answer(.version)),
      // Without a summary an option is not in the help.
      Option(names: ["--function-reference"], summary: "", effect: .answer(.functionReference)),
    ]

  static var help: String {
    var text = """
      apus: SQL over columns, with neural networks in it.

      usage: apus [DATABASE] [-c SQL]... [-f FILE]... [OPTION]...

      Without DATABASE the database lives in memory. Without -c and -f the program reads SQL from
      the terminal, or a script from standard input. -c and -f run in the order given and stop at
      the first error with status 1.


      """
    let rows = options.filter { !$0.summary.isEmpty }.map { option -> (String, String) in
      var left = option.names.joined(separator: ", ")
      if case .value(let placeholder, _) = option.effect { left += " " + placeholder }
      return (left, option.summary)
    }
    let width = rows.map(\.0.utf8.count).max() ?? 0
    for (left, right) in rows {
      text +=
        "  " + left + String(repeating: " ", count: width - left.utf8.count + 2) + right + "\n"
    }
    return text
  }
}

// MARK: - Messages

extension CommandLineArguments {
  private static func unknownOption(_ name: String) -> Mistake {
    let hint = didYouMean(name, among: options.flatMap(\.names)).map { "; \($0)" } ?? ""
    return Mistake(message: "unknown option \"\(name)\"\(hint)")
  }

  private static func unknownMode(_ name: String) -> Mistake {
    let hint = didYouMean(name, among: Renderers.all.map(\.name)).map { "; \($0)" } ?? ""
    return Mistake(message: "unknown output form \"\(name)\"\(hint)")
  }

  private static func unknownProtocol(_ name: String) -> Mistake {
    Mistake(message: "unknown protocol \"\(name)\"; there is \"jsonl\"")
  }

  private static func needsValue(_ name: String) -> Mistake {
    Mistake(message: "option \"\(name)\" needs a value")
  }

  private static func needsNoValue(_ name: String) -> Mistake {
    Mistake(message: "option \"\(name)\" takes no value")
  }

  private static func twoDatabases(_ name: String) -> Mistake {
    Mistake(message: "a second database \"\(name)\"; the program opens one")
  }
}
