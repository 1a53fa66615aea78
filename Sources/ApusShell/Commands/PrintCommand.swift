extension DotCommand {
  static let print = DotCommand(
    name: "print", arguments: "[TEXT]", summary: "print a line of text"
  ) { shell, arguments in
    shell.output.write(arguments.joined(separator: " ") + "\n")
  }
}
