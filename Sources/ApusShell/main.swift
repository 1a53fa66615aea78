import Apus
import Diagnostics
import Glibc

/// The `apus` program: reads the command line, then runs what it asks for.
/// Nothing here loads Foundation: the program starts in a few milliseconds.

do {
  switch try CommandLineArguments.parse(Array(CommandLine.arguments.dropFirst())) {
  case .help:
    Output.standard.write(CommandLineArguments.help)
    Output.standard.flush()
  case .version:
    Output.standard.write("apus \(Shell.version)\n")
    Output.standard.flush()
  case .functionReference:
    Output.standard.write(FunctionReference.page())
    Output.standard.flush()
  case .run(let arguments):
    signal(SIGPIPE, SIG_IGN)
    exit(Program.run(arguments))
  }
} catch let mistake as CommandLineArguments.Mistake {
  Output.writeError("apus: \(mistake.message)\n")
  Output.writeError("Run \"apus --help\" for the options.\n")
  exit(2)
}
