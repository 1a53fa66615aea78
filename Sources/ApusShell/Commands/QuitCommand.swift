extension DotCommand {
  static let exit = leave("exit")
  static let quit = leave("quit")

  private static func leave(_ name: String) -> DotCommand {
    DotCommand(name: name, arguments: "", summary: "leave the shell; so does Ctrl-D") { shell, _ in
      shell.wantsToQuit = true
    }
  }
}
