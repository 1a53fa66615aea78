/// The commands that only set something.
extension DotCommand {
  static let echo = toggle("echo", "print each statement before it runs") { settings, value in
    if let value { settings.echo = value }
    return settings.echo
  }

  static let headers = toggle("headers", "print the names of the columns") { settings, value in
    if let value { settings.style.showsHeaders = value }
    return settings.style.showsHeaders
  }

  static let timer = toggle("timer", "print the time of each statement") { settings, value in
    if let value { settings.timer = value }
    return settings.timer
  }

  static let maxrows = DotCommand(
    name: "maxrows", arguments: "N", summary: "how many rows a box shows; 0: all"
  ) { shell, arguments in
    let text = try single(arguments, "a number of rows")
    guard let count = Int(text), count >= 0 else {
      throw Mistake(message: "expected a number of rows, got \"\(text)\"")
    }
    shell.settings.style.maximumRows = count == 0 ? nil : count
  }

  static let nullvalue = DotCommand(
    name: "nullvalue", arguments: "TEXT", summary: "what NULL is printed as, except in JSON"
  ) { shell, arguments in
    shell.settings.style.nullText = try single(arguments, "one text; '' for none")
  }
}
