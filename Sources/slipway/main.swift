import Commands
import Glibc

let name = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "slipway"
let status = await Program.run(Array(CommandLine.arguments.dropFirst()), calledAs: name)
exit(status)
