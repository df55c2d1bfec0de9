import Commands
import Glibc

let status = await Program.run(CalledAs.arguments(CommandLine.arguments))
exit(status)
