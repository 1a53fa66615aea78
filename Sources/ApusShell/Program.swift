import Apus
import Glibc

/// What one start of the program does, after its command line is understood.
enum Program {
  /// Gives the exit status.
  static func run(_ arguments: CommandLineArguments) -> Int32 {
    do {
      if arguments.protocolName != nil {
        let connection = try Shell.open(arguments)
        return JSONLinesProtocol(connection: connection).run()
      }
      // Before the engine starts its threads: they inherit which signals are blocked.
      Interrupts.install()
      let shell = Shell(connection: try Shell.open(arguments), arguments: arguments)
      return run(arguments, in: shell)
    } catch {
      Output.writeError("\(error)\n")
      return 1
    }
  }

  private static func run(_ arguments: CommandLineArguments, in shell: Shell) -> Int32 {
    for action in arguments.actions {
      let succeeded =
        switch action {
        case .command(let sql): shell.runScript(sql, name: nil)
        case .file(let path): shell.runFile(path)
        }
      if !succeeded { return shell.finish(failed: true) }
      if shell.wantsToQuit { return shell.finish(failed: false) }
    }
    guard arguments.actions.isEmpty else { return shell.finish(failed: false) }
    if isatty(STDIN_FILENO) == 1 {
      return shell.finish(failed: !InteractiveShell(shell: shell).run(bail: arguments.bail))
    }
    return shell.finish(failed: !shell.runFile("-"))
  }
}
