import Glibc

extension DotCommand {
  static let output = DotCommand(
    name: "output", arguments: "[FILE]",
    summary: "write results to a file; alone: to the terminal again"
  ) { shell, arguments in
    shell.output.flush()
    guard let path = arguments.first else {
      shell.output = .standard
      return
    }
    guard let file = Output(creating: path) else {
      throw Mistake(message: "cannot write \"\(path)\": \(String(cString: strerror(errno)))")
    }
    shell.output = file
  }
}
