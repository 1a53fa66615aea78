extension DotCommand {
  static let read = DotCommand(
    name: "read", arguments: "FILE", summary: "run a script, up to its first error"
  ) { shell, arguments in
    let path = try single(arguments, "the name of a file")
    guard shell.readDepth < 50 else {
      throw Mistake(message: "scripts read each other more than 50 deep at \"\(path)\"")
    }
    shell.readDepth += 1
    defer { shell.readDepth -= 1 }
    // The script has printed its own error, with its own place.
    guard shell.runFile(path) else { throw Mistake(message: "") }
  }
}
